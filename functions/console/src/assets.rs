//! The console's own files: style, a little script, htmx. In the program itself, so that a page and its files are always
//! of one release; named by their content, so that browsers keep them for good.

use std::io::Write as _;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::problem::Problem;
use crate::secret;

struct Asset {
    stem: &'static str,
    extension: &'static str,
    kind: &'static str,
    body: &'static [u8],
    name: String,
    packed: Vec<u8>,
}

impl Asset {
    fn new(stem: &'static str, extension: &'static str, kind: &'static str, body: &'static str) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        // Writing into memory cannot fail; an empty file would only be sent unpacked.
        let packed = encoder.write_all(body.as_bytes()).and_then(|()| encoder.finish()).unwrap_or_default();
        let digest: String = secret::digest(body).chars().take(12).collect();
        Self { stem, extension, kind, body: body.as_bytes(), name: format!("{stem}-{digest}.{extension}"), packed }
    }
}

static ASSETS: LazyLock<[Asset; 3]> = LazyLock::new(|| {
    const SCRIPT: &str = "text/javascript; charset=utf-8";
    [
        Asset::new("console", "css", "text/css; charset=utf-8", include_str!("../assets/console.css")),
        Asset::new("console", "js", SCRIPT, include_str!("../assets/console.js")),
        // htmx.org 2.0.11 as published, under the Zero-Clause BSD licence: assets/htmx.LICENSE.
        Asset::new("htmx", "js", SCRIPT, include_str!("../assets/htmx.min.js")),
    ]
});

/// The name that a file goes by in this release: `console.css`, `console.js`, `htmx.js`.
#[must_use]
pub fn name(file: &str) -> &'static str {
    let found = ASSETS.iter().find(|asset| file.split_once('.') == Some((asset.stem, asset.extension)));
    found.map_or("", |asset| &asset.name)
}

/// Sends a file.
pub async fn file(Path(file): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    let asset = ASSETS.iter().find(|asset| asset.name == file).ok_or_else(Problem::not_found)?;
    let is_packed = takes_gzip(&headers) && !asset.packed.is_empty();
    let body: &'static [u8] = if is_packed { &asset.packed } else { asset.body };
    let mut response = (
        [(CONTENT_TYPE, asset.kind), (CACHE_CONTROL, "public, max-age=31536000, immutable"), (VARY, "accept-encoding")],
        body,
    )
        .into_response();
    if is_packed {
        response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(response)
}

/// Does the browser unpack gzip?
#[must_use]
pub fn takes_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepted.split(',').any(|part| {
        let mut words = part.split(';').map(str::trim);
        words.next() == Some("gzip") && words.next().is_none_or(|q| q.trim_start_matches("q=").parse() != Ok(0.0_f32))
    })
}

/// Says that the function runs. It asks nothing of anybody, so it says nothing of them.
pub async fn health() -> &'static str {
    "ok\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_browser_loads_is_small() {
        let sizes: Vec<(&str, usize)> = ASSETS.iter().map(|asset| (asset.name.as_str(), asset.packed.len())).collect();
        println!("{sizes:?}");
        let script: usize = ASSETS.iter().filter(|a| a.extension == "js").map(|a| a.packed.len()).sum();
        assert!(script < 40_000, "{sizes:?}");
    }

    #[test]
    fn gzip_is_sent_to_who_takes_it() {
        let takes = |value: &str| takes_gzip(&HeaderMap::from_iter([(ACCEPT_ENCODING, value.parse().unwrap())]));
        for value in ["gzip", "gzip, deflate, br, zstd", "br;q=1.0, gzip;q=0.5", "deflate,gzip"] {
            assert!(takes(value), "{value}");
        }
        for value in ["", "br", "gzip;q=0", "gzip; q=0.0", "identity", "x-gzip-not"] {
            assert!(!takes(value), "{value}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }

    #[tokio::test]
    async fn a_file_is_found_by_its_whole_name_and_kept_for_good() {
        let response = file(Path(name("console.css").to_owned()), HeaderMap::new()).await.unwrap();
        assert_eq!(response.headers()[CACHE_CONTROL], "public, max-age=31536000, immutable");
        assert!(!response.headers().contains_key(CONTENT_ENCODING));
        assert!(file(Path("console.css".into()), HeaderMap::new()).await.is_err());
        assert!(file(Path("../Cargo.toml".into()), HeaderMap::new()).await.is_err());
    }
}
