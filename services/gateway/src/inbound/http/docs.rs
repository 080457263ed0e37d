//! `GET /openapi.json`, and `GET /docs` to browse it.

use std::sync::{Arc, LazyLock};

use axum::{
    extract::Path,
    response::{IntoResponse as _, Redirect, Response},
};
use http::{HeaderName, header};
use problem::{Kind, Problem};
use utoipa_swagger_ui::{Config, serve};

/// Made by `pms-access write` of every service's `openapi.yaml`.
const DOCUMENT: &str = include_str!("../../../../../docs/api/openapi.json");

const CACHE: (HeaderName, &str) = (header::CACHE_CONTROL, "public, max-age=60");

/// The pages come with the program: nothing is loaded from elsewhere, and nobody frames them.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'";

pub(super) async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json"), CACHE], DOCUMENT).into_response()
}

pub(super) async fn first_page() -> Redirect {
    Redirect::temporary("/docs/index.html")
}

pub(super) async fn page(Path(file): Path<String>) -> Result<Response, Problem> {
    static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| Arc::new(Config::from("/openapi.json")));
    let none = || Problem::new(Kind::NotFound, "There is no such page.");
    let page = serve(&file, Arc::clone(&CONFIG)).map_err(|error| Problem::internal(error.to_string()))?;
    let page = page.ok_or_else(none)?;
    let headers = [
        (header::CONTENT_TYPE, page.content_type.as_str()),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        CACHE,
    ];
    Ok((headers, page.bytes.into_owned()).into_response())
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn every_page_comes_with_the_program() {
        for (file, kind) in [
            ("index.html", "text/html"),
            ("swagger-ui.css", "text/css"),
            ("swagger-ui-bundle.js", "text/javascript"),
            ("swagger-initializer.js", "text/javascript"),
        ] {
            let answer = page(Path(file.to_owned())).await.unwrap();
            assert_eq!(answer.headers()[header::CONTENT_TYPE], kind, "{file}");
            let text = answer.into_body().collect().await.unwrap().to_bytes();
            let text = String::from_utf8_lossy(&text);
            let loads = ["src=\"http", "href=\"http", "src=\"//", "@import"];
            assert!(file == "swagger-ui-bundle.js" || !loads.iter().any(|load| text.contains(load)), "{file}");
            if file == "swagger-initializer.js" {
                assert!(text.contains("/openapi.json") && !text.contains("petstore"), "{text}");
            }
        }
        assert_eq!(page(Path("secrets.txt".to_owned())).await.unwrap_err().kind, Kind::NotFound);
    }
}
