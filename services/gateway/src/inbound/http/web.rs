//! `GET /`: the page of the staff, and the scripts and styles that it is made of.
//!
//! It is read once, when the gateway starts: whatever is asked for is looked up by its name among what was read, so no
//! path leads anywhere else, and a page that is built anew meanwhile is never served with the scripts of the old one.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, bail};
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderValue, header};
use problem::{Kind, Problem};

/// Nothing is loaded from elsewhere and nothing is written into the page itself, no style either.
const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
     connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
);

/// The name of an asset has a hash of its content.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// It may be another after the next start; whether it is, is asked with its `ETag`.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");

/// What the build of the page makes.
const TYPES: [(&str, HeaderValue); 6] = [
    ("css", HeaderValue::from_static("text/css; charset=utf-8")),
    ("html", HeaderValue::from_static("text/html; charset=utf-8")),
    ("js", HeaderValue::from_static("text/javascript; charset=utf-8")),
    ("png", HeaderValue::from_static("image/png")),
    ("svg", HeaderValue::from_static("image/svg+xml")),
    ("woff2", HeaderValue::from_static("font/woff2")),
];

const FIRST_PAGE: &str = "index.html";
const ICON: &str = "favicon.svg";

#[derive(Clone, Debug)]
struct File {
    kind: HeaderValue,
    bytes: Bytes,
}

/// The files of the page; none where the gateway is to serve none.
#[derive(Clone, Debug, Default)]
pub struct Web {
    /// Beside the first page.
    top: Arc<BTreeMap<String, File>>,
    assets: Arc<BTreeMap<String, File>>,
}

impl Web {
    /// Reads what the build has left in a directory.
    pub fn read(directory: &Path) -> anyhow::Result<Self> {
        let read = |path: PathBuf| {
            files(&path).with_context(|| format!("reading {}: has the page been built (`make web`)?", path.display()))
        };
        let (top, assets) = (read(directory.to_owned())?, read(directory.join("assets"))?);
        if !top.contains_key(FIRST_PAGE) {
            bail!("{} has no {FIRST_PAGE}: has the page been built (`make web`)?", directory.display());
        }
        Ok(Self { top: Arc::new(top), assets: Arc::new(assets) })
    }

    /// `GET /`
    pub(super) fn first_page(&self) -> Result<Response, Problem> {
        answer(&self.top, FIRST_PAGE, ASK_AGAIN)
    }

    /// `GET /favicon.svg`
    pub(super) fn icon(&self) -> Result<Response, Problem> {
        answer(&self.top, ICON, ASK_AGAIN)
    }

    /// `GET /assets/{file}`
    pub(super) fn asset(&self, file: &str) -> Result<Response, Problem> {
        answer(&self.assets, file, FOR_EVER)
    }
}

/// The files in a directory, not those in further ones.
fn files(directory: &Path) -> anyhow::Result<BTreeMap<String, File>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            continue;
        }
        let name = path.file_name().and_then(|name| name.to_str()).context("a file's name is no text")?;
        let end = path.extension().and_then(|end| end.to_str()).unwrap_or_default();
        let kind = TYPES.iter().find(|(known, _)| *known == end).map(|(_, kind)| kind.clone());
        let kind = kind.with_context(|| format!("{name} is of no type that the page has"))?;
        files.insert(name.to_owned(), File { kind, bytes: fs::read(&path)?.into() });
    }
    Ok(files)
}

fn answer(files: &BTreeMap<String, File>, name: &str, cache: HeaderValue) -> Result<Response, Problem> {
    let Some(File { kind, bytes }) = files.get(name) else {
        return Err(Problem::new(Kind::NotFound, "There is no such page."));
    };
    let mut response = Response::new(bytes.clone().into());
    let headers = [
        (header::CONTENT_TYPE, kind.clone()),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::CACHE_CONTROL, cache),
    ];
    response.headers_mut().extend(headers);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use std::env;

    use http_body_util::BodyExt as _;

    use super::*;

    /// A directory with a page, for as long as the test runs.
    struct Built(PathBuf);

    impl Built {
        fn with(files: &[(&str, &str)]) -> Self {
            let directory = env::temp_dir().join(format!("web-{}", uuid::Uuid::now_v7()));
            fs::create_dir_all(directory.join("assets")).unwrap();
            for (name, text) in files {
                fs::write(directory.join(name), text).unwrap();
            }
            Self(directory)
        }
    }

    impl Drop for Built {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    const PAGE: [(&str, &str); 4] = [
        ("index.html", "<!doctype html>"),
        ("favicon.svg", "<svg/>"),
        ("assets/index-abc.js", "1"),
        ("assets/index-abc.css", "a{}"),
    ];

    fn header(answer: &Response, name: header::HeaderName) -> &str {
        answer.headers()[name].to_str().unwrap()
    }

    #[tokio::test]
    async fn each_file_has_its_type_its_policy_and_its_time() {
        let built = Built::with(&PAGE);
        let web = Web::read(&built.0).unwrap();
        let page = web.first_page().unwrap();
        assert_eq!(header(&page, header::CONTENT_TYPE), "text/html; charset=utf-8");
        assert_eq!(header(&page, header::CACHE_CONTROL), "no-cache");
        for source in ["script-src 'self';", "style-src 'self';"] {
            assert!(header(&page, header::CONTENT_SECURITY_POLICY).contains(source), "nothing inline");
        }
        let icon = web.icon().unwrap();
        assert_eq!(header(&icon, header::CONTENT_TYPE), "image/svg+xml");
        let script = web.asset("index-abc.js").unwrap();
        assert_eq!(header(&script, header::CONTENT_TYPE), "text/javascript; charset=utf-8");
        assert_eq!(header(&script, header::CACHE_CONTROL), "public, max-age=31536000, immutable");
        assert_eq!(script.into_body().collect().await.unwrap().to_bytes(), "1");
    }

    #[test]
    fn no_name_leads_out_of_what_was_read() {
        let built = Built::with(&PAGE);
        fs::write(built.0.join("secret.html"), "no").unwrap();
        let web = Web::read(&built.0).unwrap();
        for name in ["../index.html", "..%2findex.html", "/etc/passwd", "secret.html", "..", ".", "", "\0"] {
            let refused = web.asset(name).unwrap_err();
            assert_eq!(refused.kind, Kind::NotFound, "{name}");
        }
    }

    #[test]
    fn what_comes_after_the_start_is_not_served() {
        let built = Built::with(&PAGE);
        let web = Web::read(&built.0).unwrap();
        fs::write(built.0.join("assets/index-def.js"), "2").unwrap();
        assert!(web.asset("index-def.js").is_err());
    }

    #[test]
    fn a_page_that_is_not_built_is_told_at_the_start() {
        let without = Built::with(&PAGE[1..]);
        assert!(format!("{:#}", Web::read(&without.0).unwrap_err()).contains("make web"));
        assert!(format!("{:#}", Web::read(Path::new("/nowhere")).unwrap_err()).contains("make web"));
        let odd = Built::with(&[("index.html", ""), ("assets/x.exe", "")]);
        assert!(format!("{:#}", Web::read(&odd.0).unwrap_err()).contains("x.exe"));
    }

    #[test]
    fn without_a_directory_there_is_no_page() {
        assert_eq!(Web::default().first_page().unwrap_err().kind, Kind::NotFound);
    }
}
