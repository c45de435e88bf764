//! The examples of the guide on middleware do what the guide says.

use crate::page::blocks;
use crate::support::{Api, Call};

/// The sections of a YAML text: each with the key that it begins with.
fn sections(yaml: &str) -> Vec<(String, String)> {
    let mut sections: Vec<(String, String)> = Vec::new();
    for line in yaml.lines() {
        if !line.starts_with([' ', '#']) {
            let key = line.split(':').next().unwrap().to_owned();
            sections.push((key, String::new()));
        }
        let section = &mut sections.last_mut().unwrap().1;
        section.push_str(line);
        section.push('\n');
    }
    sections
}

/// The base with an example's sections in place of its own.
fn completed(base: &str, example: &str) -> String {
    let own = sections(example);
    let base = sections(base);
    let base = base.iter().filter(|(key, _)| !own.iter().any(|(name, _)| name == key));
    base.chain(&own).map(|(_, text)| text.as_str()).collect()
}

#[test]
fn every_example_is_accepted_and_sends_what_the_page_shows() {
    let mut blocks = blocks("guides/middleware.md").into_iter();
    let base = blocks.next().unwrap();
    let row = blocks.next().unwrap();
    assert_eq!((base.language.as_str(), row.language.as_str()), ("yaml", "json"));
    let api = Api::start(&[]);
    let mut sent = Vec::new();
    let mut seen = 0;
    for block in blocks {
        match block.language.as_str() {
            "yaml" => {
                let call = Call::new()
                    .file("c.yaml", &completed(&base.text, &block.text))
                    .file("rows.ndjson", &row.text)
                    .file("secrets/vendor/token", "t0ken")
                    .file("secrets/vendor/key", "k3y");
                api.reset();
                let url = format!("endpoint.base_path={}/v1", api.url());
                let told = call.run(&[
                    "send",
                    "c.yaml",
                    "--rows",
                    "rows.ndjson",
                    "--set",
                    &url,
                    "--secrets-dir",
                    "secrets",
                ]);
                assert_eq!(told.code, 0, "{}: {}", block.heading, told.all());
                sent = api.requests();
                assert_eq!(sent.len(), 1, "{}", block.heading);
                seen += 1;
            }
            "http" => {
                let request = &sent[0];
                let (head, body) = block.text.split_once("\n\n").unwrap_or((block.text.trim_end(), ""));
                let mut head = head.lines();
                let query = request.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
                let line = format!("{} {}{query}", request.method, request.path);
                assert_eq!(head.next().unwrap(), line, "{}", block.heading);
                for header in head {
                    let (name, value) = header.split_once(": ").unwrap();
                    assert_eq!(request.header(name), Some(value), "{}", block.heading);
                }
                if !body.is_empty() {
                    assert_eq!(request.body.trim_end(), body.trim_end(), "{}", block.heading);
                }
            }
            other => panic!("a block of {other}"),
        }
    }
    assert!(seen >= 5, "{seen}");
}
