//! The REST routes of gRPC methods, as their `google.api.http` annotations say; see `proto/README.md`.

mod template;

use std::{collections::BTreeSet, sync::LazyLock};

use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor, Value,
};

pub use self::template::Template;

/// A method with its routes.
#[derive(Clone, Debug)]
pub struct Method {
    /// What it takes and gives.
    pub descriptor: MethodDescriptor,
    /// Where it is served: one route at least.
    pub bindings: Vec<Binding>,
}

/// A route of a method, and where the parts of the request and of the answer stand.
#[derive(Clone, Debug)]
pub struct Binding {
    /// The HTTP method, in capitals.
    pub verb: String,
    /// The path as a router takes it, variables called as in JSON: `/api/billing/accounts/{patientId}`.
    pub path: String,
    /// The path as the annotation has it.
    pub template: Template,
    /// For each variable of the template its field, from the request message down.
    pub variables: Vec<Vec<FieldDescriptor>>,
    /// The message that the request becomes.
    pub input: MessageDescriptor,
    /// What the request's body is.
    pub body: Body,
    /// The field that is the answer; without one, the whole response message is.
    pub response_body: Option<FieldDescriptor>,
}

/// What the body of a request is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Body {
    /// There is none: what the path does not have is in the query.
    None,
    /// All that the path does not have; there is no query.
    Whole,
    /// One field; what neither it nor the path has is in the query.
    Field(FieldDescriptor),
}

/// Why a method cannot be served as REST.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{method}: {reason}")]
pub struct RestError {
    /// `package.Service/Method`
    pub method: String,
    /// What is missing or wrong.
    pub reason: String,
}

impl Method {
    /// Whether it makes something that has an address of its own from then on: `CreateInvoice`, `RecordPayment`,
    /// `ReceiveRemittance`.
    pub fn makes(&self) -> bool {
        ["Create", "Record", "Receive"].iter().any(|verb| self.descriptor.name().starts_with(verb))
    }
}

impl Binding {
    /// The route in the words of the matrix of roles: `GET /api/billing/accounts/{patientId}`.
    pub fn route(&self) -> String {
        format!("{} {}", self.verb, self.path)
    }
}

/// A method of our contracts, by its name `package.Service/Method`.
pub fn method(name: &str) -> Result<Method, RestError> {
    static CONTRACTS: LazyLock<Result<DescriptorPool, String>> =
        LazyLock::new(|| DescriptorPool::decode(crate::DESCRIPTORS).map_err(|error| error.to_string()));
    match &*CONTRACTS {
        Ok(contracts) => method_of(contracts, name),
        Err(reason) => Err(RestError { method: name.to_owned(), reason: reason.clone() }),
    }
}

/// A method of any contracts.
pub fn method_of(contracts: &DescriptorPool, name: &str) -> Result<Method, RestError> {
    read(contracts, name).map_err(|reason| RestError { method: name.to_owned(), reason })
}

fn read(contracts: &DescriptorPool, name: &str) -> Result<Method, String> {
    let (service, method) = name.split_once('/').ok_or("this is no name of a method")?;
    let service = contracts.get_service_by_name(service).ok_or("proto/ has no such service")?;
    let descriptor = service.methods().find(|one| one.name() == method).ok_or("proto/ has no such method")?;
    if descriptor.is_client_streaming() {
        return Err("a stream of requests is no REST".to_owned());
    }
    for message in [descriptor.input(), descriptor.output()] {
        refuse_any(&message, &mut BTreeSet::new())?;
    }
    let http = contracts.get_extension_by_name("google.api.http").ok_or("nothing in proto/ has google.api.http")?;
    let options = descriptor.options();
    if !options.has_extension(&http) {
        return Err("it has no google.api.http, so nobody knows its route".to_owned());
    }
    let annotation = options.get_extension(&http);
    let rule = annotation.as_message().ok_or("google.api.http is no message")?;
    let mut bindings = vec![binding(&descriptor, rule)?];
    let more = rule.get_field_by_name("additional_bindings");
    for rule in more.as_deref().and_then(Value::as_list).unwrap_or_default() {
        bindings.push(binding(&descriptor, rule.as_message().ok_or("a binding is no message")?)?);
    }
    if descriptor.is_server_streaming() && bindings.iter().any(|binding| binding.verb != "GET") {
        return Err("a stream of answers is read, and so has no route but GET".to_owned());
    }
    Ok(Method { descriptor, bindings })
}

/// What an `Any` holds is in no contract.
fn refuse_any(message: &MessageDescriptor, seen: &mut BTreeSet<String>) -> Result<(), String> {
    if message.full_name() == "google.protobuf.Any" {
        return Err("google.protobuf.Any has no JSON here".to_owned());
    }
    if seen.insert(message.full_name().to_owned()) {
        for field in message.fields() {
            if let Kind::Message(inner) = field.kind() {
                refuse_any(&inner, seen)?;
            }
        }
    }
    Ok(())
}

fn binding(method: &MethodDescriptor, rule: &DynamicMessage) -> Result<Binding, String> {
    let (verb, path) = pattern(rule)?;
    let template = Template::parse(&path).map_err(|reason| format!("{path}: {reason}"))?;
    let mut variables = Vec::new();
    for names in template.fields() {
        variables.push(
            variable(method.input(), names)
                .ok_or_else(|| format!("{path}: {} cannot be a variable", names.join(".")))?,
        );
    }
    let names: Vec<_> = variables.iter().map(|fields| json_path(fields)).collect();
    let body = match text(rule, "body").as_str() {
        "" => Body::None,
        _ if verb == "GET" || verb == "DELETE" => return Err(format!("{verb} {path}: no such request has a body")),
        "*" => Body::Whole,
        name => Body::Field(field(&method.input(), name)?),
    };
    let response_body = match text(rule, "response_body").as_str() {
        "" => None,
        name => Some(field(&method.output(), name)?),
    };
    Ok(Binding {
        path: template.pattern(&names),
        input: method.input(),
        verb,
        template,
        variables,
        body,
        response_body,
    })
}

fn pattern(rule: &DynamicMessage) -> Result<(String, String), String> {
    for verb in ["get", "put", "post", "delete", "patch"] {
        if rule.has_field_by_name(verb) {
            return Ok((verb.to_uppercase(), text(rule, verb)));
        }
    }
    Err("its google.api.http has none of get, put, post, delete and patch".to_owned())
}

fn text(rule: &DynamicMessage, name: &str) -> String {
    rule.get_field_by_name(name).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn field(message: &MessageDescriptor, name: &str) -> Result<FieldDescriptor, String> {
    message.get_field_by_name(name).ok_or_else(|| format!("{} has no field {name}", message.full_name()))
}

/// Messages down to something that has one value and can be empty in no path.
fn variable(message: MessageDescriptor, names: &[String]) -> Option<Vec<FieldDescriptor>> {
    let (mut message, mut fields) = (Some(message), Vec::new());
    for name in names {
        let field = message?.get_field_by_name(name).filter(|field| !field.is_list() && !field.is_map())?;
        message = field.kind().as_message().cloned();
        fields.push(field);
    }
    message.is_none().then_some(fields)
}

/// A field's path as the public knows it: `account.openedTime`.
pub fn json_path(fields: &[FieldDescriptor]) -> String {
    fields.iter().map(FieldDescriptor::json_name).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contracts(methods: &str) -> DescriptorPool {
        let text = format!(
            r#"syntax = "proto3"; package t.v1;
            import "google/api/annotations.proto"; import "google/protobuf/any.proto";
            message Inner {{ string id = 1; repeated string many = 2; }}
            message Ask {{ string patient_id = 1; Inner inner = 2; repeated string many = 3; }}
            message Answer {{ Inner inner = 1; }}
            message Odd {{ google.protobuf.Any any = 1; }}
            service S {{ {methods} }}"#
        );
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../proto");
        let mut resolver = protox::file::ChainFileResolver::new();
        resolver.add(protox::file::GoogleFileResolver::new());
        resolver.add(protox::file::IncludeFileResolver::new(folder.into()));
        let file = protox::file::File::from_source("t.proto", &text).unwrap();
        resolver.add(One(file.file_descriptor_proto().clone()));
        let mut compiler = protox::Compiler::with_file_resolver(resolver);
        let compiled = compiler.include_imports(true).open_file("t.proto").unwrap().encode_file_descriptor_set();
        DescriptorPool::decode(compiled.as_slice()).unwrap()
    }

    struct One(prost_reflect::prost_types::FileDescriptorProto);

    impl protox::file::FileResolver for One {
        fn open_file(&self, name: &str) -> Result<protox::file::File, protox::Error> {
            if name == "t.proto" {
                return Ok(protox::file::File::from_file_descriptor_proto(self.0.clone()));
            }
            Err(protox::Error::file_not_found(name))
        }
    }

    fn rule(rule: &str) -> Result<Method, RestError> {
        let contracts = contracts(&format!("rpc M(Ask) returns (Answer) {{ {rule} }}"));
        method_of(&contracts, "t.v1.S/M")
    }

    #[test]
    fn our_own_annotation_is_a_route() {
        let method = method("billing.v1.Accounts/GetAccount").unwrap();
        let routes: Vec<_> = method.bindings.iter().map(Binding::route).collect();
        assert_eq!(routes, ["GET /api/billing/accounts/{patientId}"]);
        assert_eq!(method.bindings[0].response_body.as_ref().unwrap().name(), "account");
    }

    #[test]
    fn what_is_made_is_known_by_the_name_of_the_method() {
        for (name, makes) in [
            ("billing.v1.Claims/CreateClaim", true),
            ("billing.v1.Payments/RecordPayment", true),
            ("billing.v1.Remittances/ReceiveRemittance", true),
            ("billing.v1.Remittances/BookRemittance", false),
            ("billing.v1.Claims/SubmitClaim", false),
        ] {
            assert_eq!(method(name).unwrap().makes(), makes, "{name}");
        }
    }

    #[test]
    fn what_has_no_annotation_has_no_route() {
        for name in ["billing.v1.Accounts/OpenAccounts", "billing.v1.Accounts/No", "billing.v1.No/GetAccount", "no"] {
            assert_eq!(method(name).unwrap_err().method, name);
        }
    }

    #[test]
    fn an_annotation_may_have_several_routes() {
        let method = rule(
            r#"option (google.api.http) = {
                post: "/a/{inner.id}" body: "inner" response_body: "inner"
                additional_bindings { put: "/b/{patient_id}" body: "*" }
                additional_bindings { get: "/c" }
            };"#,
        )
        .unwrap();
        let routes: Vec<_> = method.bindings.iter().map(Binding::route).collect();
        assert_eq!(routes, ["POST /a/{inner.id}", "PUT /b/{patientId}", "GET /c"]);
        assert!(matches!(&method.bindings[0].body, Body::Field(field) if field.name() == "inner"));
        assert_eq!((&method.bindings[1].body, &method.bindings[2].body), (&Body::Whole, &Body::None));
    }

    #[test]
    fn an_annotation_that_cannot_be_meant_is_refused() {
        for wrong in [
            r#"get: "/a/{no}""#,
            r#"get: "/a/{inner}""#,
            r#"get: "/a/{many}""#,
            r#"get: "/a/{inner.many}""#,
            r#"get: "/a/{patient_id.id}""#,
            r#"get: "a""#,
            r#"get: "/a" body: "*""#,
            r#"post: "/a" body: "no""#,
            r#"get: "/a" response_body: "no""#,
            r#"custom: { kind: "HEAD" path: "/a" }"#,
            r#"get: "/a" additional_bindings { get: "/b/{no}" }"#,
        ] {
            assert!(rule(&format!("option (google.api.http) = {{ {wrong} }};")).is_err(), "{wrong}");
        }
        let odd = contracts(
            r#"rpc M(Odd) returns (Answer) { option (google.api.http) = { get: "/a" }; }
            rpc N(stream Ask) returns (Answer) { option (google.api.http) = { get: "/b" }; }
            rpc O(Ask) returns (stream Answer) { option (google.api.http) = { post: "/c" body: "*" }; }
            rpc P(Ask) returns (stream Answer) { option (google.api.http) = { get: "/d" }; }"#,
        );
        assert!(method_of(&odd, "t.v1.S/M").unwrap_err().reason.contains("Any"));
        for stream in ["t.v1.S/N", "t.v1.S/O"] {
            assert!(method_of(&odd, stream).unwrap_err().reason.contains("stream"), "{stream}");
        }
        assert!(method_of(&odd, "t.v1.S/P").is_ok());
    }
}
