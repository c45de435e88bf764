//! Config on the driver: references out, a compiled plan back.

use apisink_config::{Config, Override, Problems};
use apisink_plan::Inputs;
use apisink_runtime::Process;
use apisink_runtime::transport::{EngineContext, Engines};
use serde::Serialize;

use crate::error::{Kind, NativeError};

/// The references of a config, as a JSON list. `overrides` is a JSON list of [`Override`].
pub(crate) fn references(text: &[u8], name: &str, overrides: &[u8]) -> Result<Vec<u8>, NativeError> {
    json(&parse(text, name, overrides)?.references())
}

/// Plan, secrets and the driver's part, in this order. `inputs` is the JSON of [`Inputs`].
pub(crate) fn compile(
    text: &[u8],
    name: &str,
    overrides: &[u8],
    inputs: &[u8],
) -> Result<Vec<Vec<u8>>, NativeError> {
    let config = parse(text, name, overrides)?;
    // The message would cite what it stumbled over, which may be a secret.
    let mut inputs: Inputs = serde_json::from_slice(inputs)
        .map_err(|_| NativeError::new(Kind::Internal, "the inputs of the compilation cannot be read"))?;
    inputs.middleware = Some(Process::global()?.registry().own());
    let compiled = apisink_plan::compile(&config, &inputs).map_err(refused)?;
    // What an executor would refuse, such as a certificate that cannot be read, is refused here.
    Engines::default()
        .make(&EngineContext::new(&compiled.plan.transport, &compiled.secrets))
        .map_err(|e| NativeError::new(Kind::Config, format!("{name}: {e}")))?;
    Ok(vec![json(&compiled.plan)?, json(&compiled.secrets)?, json(&compiled.driver)?])
}

fn parse(text: &[u8], name: &str, overrides: &[u8]) -> Result<Config, NativeError> {
    let overrides: Vec<Override> = serde_json::from_slice(overrides)
        .map_err(|_| NativeError::new(Kind::Internal, "the overrides of the config cannot be read"))?;
    apisink_config::parse_with(text, name, &overrides).map_err(refused)
}

fn refused(problems: Problems) -> NativeError {
    NativeError::new(Kind::Config, format!("{}\n{problems}", problems.headline()))
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, NativeError> {
    serde_json::to_vec(value).map_err(|e| NativeError::new(Kind::Internal, e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "\
auth: {type: bearer, token: '{{env.TOKEN}}'}
endpoint: {method: POST, base_path: 'https://api.example.com', url_path: /rows}
middleware: [{type: json_body}]
tables: {source: {id_column: id}, sink: {path: /tmp/sink}}
";

    #[test]
    fn a_config_compiles_once_its_references_are_resolved() {
        let references = references(CONFIG.as_bytes(), "x.yaml", b"[]").unwrap();
        let references: serde_json::Value = serde_json::from_slice(&references).unwrap();
        assert_eq!(references[0]["key"], "TOKEN");
        let inputs =
            br#"{"references":[{"kind":"env","scope":"","key":"TOKEN","value":"hunter2"}],"columns":["id"]}"#;
        let parts = compile(CONFIG.as_bytes(), "x.yaml", b"[]", inputs).unwrap();
        let texts: Vec<_> = parts.iter().map(|part| String::from_utf8_lossy(part)).collect();
        assert!(!texts[0].contains("hunter2") && !texts[2].contains("hunter2"));
        assert_eq!(texts[1], r#"["hunter2"]"#);
    }

    #[test]
    fn a_refused_config_says_where_and_why() {
        let error = references(b"endpiont: {}\n", "x.yaml", b"[]").unwrap_err();
        assert_eq!(error.kind, Kind::Config);
        assert!(error.message.contains("did you mean `endpoint`?"), "{}", error.message);
    }

    #[test]
    fn inputs_that_cannot_be_read_are_not_cited() {
        let error = compile(CONFIG.as_bytes(), "x.yaml", b"[]", br#"{"references": "hunter2"}"#).unwrap_err();
        assert!(!error.message.contains("hunter2"), "{}", error.message);
    }
}
