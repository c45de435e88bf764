//! Whatever the bytes: the reader and the compiler end with a plan or with problems.
#![no_main]

use apisink_config::{Problems, Reference, parse};
use apisink_plan::{Inputs, ResolvedReference, Secret, compile};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    if let Err(problems) = read(text) {
        assert!(!problems.as_slice().is_empty() && !problems.to_string().is_empty());
    }
});

fn read(text: &[u8]) -> Result<(), Problems> {
    let config = parse(text, "fuzz.yaml")?;
    let references = config.references().iter().map(resolved).collect();
    compile(&config, &Inputs { references, ..Inputs::default() }).map(|_| ())
}

fn resolved(reference: &Reference) -> ResolvedReference {
    ResolvedReference {
        kind: reference.kind,
        scope: reference.scope.clone(),
        key: reference.key.clone(),
        value: Some(Secret::new("https://localhost")),
        error: None,
    }
}
