//! The `OpenAPI` document, held against what answers.

use access::Role;
use anyhow::{Context as _, Result, ensure};
use reqwest::{Client, Method, RequestBuilder, redirect};
use serde_json::{Value, json};

use crate::{
    door::{Answer, Door, key},
    people::person,
    stage::Stage,
};

/// What may stand in a path beside operations.
const VERBS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

pub(crate) async fn is_true(stage: &Stage) -> Result<()> {
    let clerk = stage.public(Role::FrontDesk)?;
    let document = clerk.without_token().get("/openapi.json").await?.expect(200)?.body;
    let written = std::fs::read_to_string(stage.repo.join("docs/api/openapi.json"))?;
    ensure!(document == serde_json::from_str::<Value>(&written)?, "another document is served than is written");

    let patient = clerk.registered(&person()).await?;
    stage.settled().await?;
    for (path, item) in document["paths"].as_object().context("paths")? {
        for verb in VERBS.into_iter().filter(|verb| item.get(verb).is_some()) {
            let operation = Operation { document: &document, path, item, verb };
            operation.answers_as_told(stage, &patient).await.with_context(|| format!("{verb} {path}"))?;
        }
        // What is not told does not answer.
        for verb in VERBS.into_iter().filter(|verb| item.get(verb).is_none()) {
            let method: Method = verb.to_uppercase().parse()?;
            let answer = Answer::of(clerk.request(method, &path.replace(['{', '}'], ""))).await?;
            ensure!([404, 405].contains(&answer.status), "{verb} {path} is not told and answers {}", answer.status);
        }
    }
    Ok(())
}

/// The pages need nothing but the gateway.
pub(crate) async fn is_browsable(stage: &Stage) -> Result<()> {
    let door = Door::new(&stage.client, stage.system.url(), None);
    let page = door.get("/docs").await?.expect(200)?;
    ensure!(page.header("content-type") == "text/html", "{}", page.header("content-type"));
    let policy = page.header("content-security-policy");
    ensure!(policy.contains("default-src 'none'") && !policy.contains("http"), "{policy}");
    let script = door.get("/docs/swagger-initializer.js").await?.expect(200)?;
    ensure!(script.body.as_str().is_some_and(|text| text.contains("/openapi.json")), "{}", script.body);
    Ok(())
}

struct Operation<'a> {
    document: &'a Value,
    path: &'a str,
    item: &'a Value,
    verb: &'a str,
}

impl Operation<'_> {
    async fn answers_as_told(&self, stage: &Stage, patient: &Answer) -> Result<()> {
        let told = &self.item[self.verb];
        let open = told["security"] == json!([]);
        let role = serde_json::from_value(told["x-roles"][0].clone()).unwrap_or(Role::Admin);
        // A redirection is an answer, too.
        let client = Client::builder().no_proxy().redirect(redirect::Policy::none()).build()?;
        let door = Door::new(&client, stage.system.url(), None);
        let door = if open { door } else { door.with_token(&stage.token(role)?) };
        if self.verb == "get" {
            // One of the operations makes all figures anew, and there are none meanwhile.
            let there = async || Ok(Answer::of(self.request(&door, patient)?).await?.status != 503);
            stage.eventually("it is there to be read", there).await?;
        }
        let answer = Answer::of(self.request(&door, patient)?).await?;
        self.check(&answer)?;
        let streams = told.pointer("/responses/200/content/text~1event-stream").is_some();
        if self.verb == "get" && answer.status == 200 && !streams {
            self.is_not_sent_again(&door, patient, answer.header("etag")).await?;
        }
        if !open {
            let refused = Answer::of(self.request(&door.without_token(), patient)?).await?.expect_problem(401)?;
            self.check(&refused)?;
        }
        // A body that says nothing is told apart, too.
        if told.get("requestBody").is_some() {
            let request = self.request(&door, patient)?.body("[]").header("content-type", "application/json");
            self.check(&Answer::of(request).await?)?;
        }
        Ok(())
    }

    /// Whatever is read has a tag, and who shows it gets nothing but that.
    async fn is_not_sent_again(&self, door: &Door, patient: &Answer, tag: &str) -> Result<()> {
        ensure!(tag.trim_start_matches("W/").len() > 2, "an answer without a tag");
        let again = Answer::of(self.request(door, patient)?.header("if-none-match", tag)).await?.expect(304)?;
        ensure!(again.header("etag") == tag && again.body == "", "{again:?}");
        ensure!(!again.header("ratelimit").is_empty(), "{:?}", again.headers);
        self.check(&again)
    }

    /// The request of the document's example, for a patient who is there.
    fn request(&self, door: &Door, patient: &Answer) -> Result<RequestBuilder> {
        let told = &self.item[self.verb];
        let parameters = [&self.item["parameters"], &told["parameters"]];
        let parameters: Vec<_> =
            parameters.into_iter().filter_map(Value::as_array).flatten().map(|given| self.resolve(given)).collect();
        let mut path = self.path.to_owned();
        for parameter in parameters.iter().filter(|parameter| parameter["in"] == "path") {
            let value = parameter["example"].as_str().unwrap_or_else(|| patient.id());
            path = path.replace(&format!("{{{}}}", parameter["name"].as_str().context("a name")?), value);
        }
        let query = parameters.iter().filter(|parameter| parameter["in"] == "query").filter_map(|parameter| {
            Some(format!("{}={}", parameter["name"].as_str()?, parameter["example"].as_str()?.replace(' ', "%20")))
        });
        let query: Vec<_> = query.collect();
        let path = if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) };
        let mut request = door.request(self.verb.to_uppercase().parse()?, &path);
        for parameter in parameters.iter().filter(|one| one["in"] == "header" && one["required"] == true) {
            request = match parameter["name"].as_str().context("a name")? {
                "Idempotency-Key" => request.header("idempotency-key", key()),
                "If-Match" => request.header("if-match", patient.header("etag")),
                name => anyhow::bail!("what is {name}?"),
            };
        }
        let body = told["requestBody"]["content"].as_object().and_then(|contents| contents.iter().next());
        if let Some((kind, content)) = body {
            request = request.header("content-type", kind).body(content["example"].to_string());
        }
        Ok(request)
    }

    /// The answer is one of those that are told, and is what is told of it.
    fn check(&self, answer: &Answer) -> Result<()> {
        let told = &self.item[self.verb]["responses"][answer.status.to_string()];
        ensure!(told.is_object(), "{} is not told: {}", answer.status, answer.body);
        let told = self.resolve(told);
        for (name, header) in told["headers"].as_object().into_iter().flatten() {
            let required = self.resolve(header)["required"] == true;
            ensure!(!required || !answer.header(&name.to_lowercase()).is_empty(), "{name} is missing");
        }
        let Some(contents) = told["content"].as_object() else { return Ok(()) };
        let kind = answer.header("content-type").split(';').next().unwrap_or_default();
        let content = contents.get(kind).with_context(|| format!("{kind:?} is not told"))?;
        let Some(schema) = content.get("schema") else { return Ok(()) };
        let schema = json!({ "components": self.document["components"], "allOf": [schema] });
        let validator = jsonschema::draft202012::options().should_validate_formats(true).build(&schema)?;
        let wrong: Vec<_> = validator.iter_errors(&answer.body).map(|error| error.to_string()).collect();
        ensure!(wrong.is_empty(), "{wrong:?}: {}", answer.body);
        Ok(())
    }

    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        let target = value["$ref"].as_str().and_then(|reference| self.document.pointer(reference.strip_prefix('#')?));
        target.unwrap_or(value)
    }
}
