//! A sheet as a page of HTML, made for print: it loads nothing, runs nothing and escapes every value.

use std::sync::LazyLock;

use askama::Template;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};

use super::sheet::Sheet;

const STYLE: &str = include_str!("sheet.css");

/// What a browser lets such a page do: to be seen in its own style, which is known by its hash.
pub(super) static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
});

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ sheet.title }}</title>
<style>{{ style|safe }}</style>
</head>
<body>
{%- if let Some(stamp) = sheet.stamp %}
<p class="stamp">{{ stamp }}</p>
{%- endif %}
<main>
<header>
<h1>{{ sheet.title }}</h1>
<address>
{%- for line in sheet.addressee %}
<div dir="auto">{{ line }}</div>
{%- endfor %}
</address>
<dl>
{%- for (name, told) in sheet.facts %}
<div><dt>{{ name }}</dt><dd dir="auto">{{ told }}</dd></div>
{%- endfor %}
</dl>
</header>
{%- for table in sheet.tables %}
<table>
<caption>{{ table.caption }}</caption>
<thead>
<tr>
{%- for column in table.columns %}<th scope="col"{% if column.is_number %} class="number"{% endif %}>{{ column.head }}</th>{% endfor -%}
</tr>
</thead>
<tbody>
{%- for row in table.rows %}
<tr>
{%- for (column, cell) in table.cells(row) %}{% if loop.first %}<th scope="row" dir="auto">{{ cell }}</th>{% else %}<td{% if column.is_number %} class="number"{% else %} dir="auto"{% endif %}>{{ cell }}</td>{% endif %}{% endfor -%}
</tr>
{%- endfor %}
</tbody>
{%- if !table.sums.is_empty() %}
<tfoot>
{%- for row in table.sums %}
<tr>
{%- for (column, cell) in table.cells(row) %}{% if loop.first %}<th scope="row">{{ cell }}</th>{% else %}<td{% if column.is_number %} class="number"{% endif %}>{{ cell }}</td>{% endif %}{% endfor -%}
</tr>
{%- endfor %}
</tfoot>
{%- endif %}
</table>
{%- endfor %}
</main>
</body>
</html>
"#
)]
struct Page<'a> {
    sheet: &'a Sheet,
    style: &'static str,
}

/// The page of a sheet.
pub(super) fn page(sheet: &Sheet) -> askama::Result<String> {
    Page { sheet, style: STYLE }.render()
}
