//! `apisink check`.

use crate::support::Call;

const CONFIG: &str = "\
auth: {type: bearer, token: \"{{secret.vendor:token}}\"}
endpoint:
  method: POST
  base_path: \"{{env.API}}\"
  url_path: /v1/rows
middleware: [{type: json_body}]
tables:
  source: {id_column: id}
  sink: {path: \"{{env.OUT}}/responses\"}
";

#[test]
fn all_problems_of_a_config_are_printed_as_the_driver_prints_them() {
    let text = CONFIG.replace("method: POST", "mehtod: POST").replace("json_body", "json_boddy");
    let told = Call::new().file("c.yaml", &text).run(&["check", "c.yaml"]);
    assert_eq!((told.code, told.out.as_str()), (2, ""));
    let lines: Vec<&str> = told.err.lines().filter(|line| !line.starts_with(' ')).collect();
    assert_eq!(
        lines,
        [
            "the config has 3 problems",
            "c.yaml:2:1: `endpoint.method` is missing [CONFIG_MISSING_KEY]",
            "c.yaml:3:3: `endpoint` has no key `mehtod` [CONFIG_UNKNOWN_KEY]",
            "c.yaml:6:21: `middleware[0].type` is `json_boddy`, which is not known [CONFIG_INVALID_VALUE]",
        ]
    );
    assert!(told.err.contains("did you mean `json_body`?"), "{}", told.err);
}

#[test]
fn problems_that_show_when_the_plan_is_made_are_found_too() {
    let told = Call::new().file("c.yaml", &CONFIG.replace("/v1/rows", "/v1/{a")).run(&["check", "c.yaml"]);
    assert_eq!(told.code, 2);
    assert!(told.err.starts_with("the config has 1 problem\nc.yaml:5:13: "), "{}", told.err);
}

#[test]
fn no_secret_and_no_variable_is_needed() {
    let told = Call::new().file("c.yaml", CONFIG).run(&["check", "c.yaml"]);
    assert_eq!(
        (told.code, told.all().as_str()),
        (0, "c.yaml: accepted; what it refers to was not looked up (--resolve does)\n")
    );
}

#[test]
fn a_variable_may_stand_for_an_url_a_host_or_a_port() {
    for base in ["{{env.API}}/v1", "https://{{env.API}}/v1", "https://localhost:{{env.API}}/v1"] {
        let told = Call::new().file("c.yaml", &CONFIG.replace("{{env.API}}", base)).run(&["check", "c.yaml"]);
        assert_eq!(told.code, 0, "{base}: {}", told.err);
    }
}

#[test]
fn what_is_refused_for_another_reason_cites_the_reference_and_no_stand_in() {
    let told = Call::new()
        .file("c.yaml", &CONFIG.replace("{{env.API}}", "{{env.API}}/{a}"))
        .run(&["check", "c.yaml"]);
    assert_eq!(told.code, 2);
    assert!(told.err.contains("`endpoint.base_path` has a placeholder"), "{}", told.err);
    assert!(!told.err.contains("stand-in"), "{}", told.err);
}

#[test]
fn resolving_names_what_is_missing_and_finds_variables_and_files() {
    let call = Call::new().file("c.yaml", CONFIG).env("API", "https://localhost");
    let told = call.run(&["check", "--resolve", "c.yaml"]);
    assert_eq!(told.code, 2);
    assert!(told.err.starts_with("the config has 2 problems\n"), "{}", told.err);
    assert!(told.err.contains("there is no variable APISINK_SECRET_VENDOR__TOKEN"), "{}", told.err);
    assert!(told.err.contains("there is no variable OUT"), "{}", told.err);
    let call = call.env("OUT", "/out").file("secrets/vendor/token", "hunter2\n");
    let told = call.run(&["check", "--resolve", "--secrets-dir", "secrets", "c.yaml"]);
    assert_eq!((told.code, told.all().as_str()), (0, "c.yaml: accepted\n"));
    let told = call.env("APISINK_SECRET_VENDOR__TOKEN", "hunter2").run(&["check", "--resolve", "c.yaml"]);
    assert_eq!(told.code, 0, "{}", told.err);
}

#[test]
fn a_secret_that_cannot_be_sent_is_refused_without_being_cited() {
    let call = Call::new().file("c.yaml", CONFIG).env("API", "https://localhost").env("OUT", "/out");
    let told = call.env("APISINK_SECRET_VENDOR__TOKEN", "hunter2\n\n").run(&["check", "--resolve", "c.yaml"]);
    assert_eq!(told.code, 2);
    assert!(told.err.contains("the value of `auth.token`") && !told.err.contains("hunter2"), "{}", told.err);
}

#[test]
fn problems_come_as_json_if_asked() {
    let call = Call::new().file("c.yaml", &CONFIG.replace("id_column", "id_colum"));
    let told = call.run(&["check", "--json", "c.yaml"]);
    assert_eq!((told.code, told.err.as_str()), (2, ""));
    let problems: serde_json::Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!(problems[0]["line"], 8);
    assert_eq!(problems[0]["column"], 12);
    assert_eq!(problems[0]["code"], "CONFIG_UNKNOWN_KEY");
    assert_eq!(problems[0]["text"], "source: {id_colum: id}");
    assert_eq!(call.file("c.yaml", CONFIG).run(&["check", "--json", "c.yaml"]).out, "[]\n");
}

#[test]
fn keys_can_be_set_and_the_config_read_from_standard_input() {
    let told = Call::new().run_with_input(&["check", "-", "--set", "execution.partitions=0"], CONFIG);
    assert_eq!(told.code, 2);
    assert!(told.err.contains("execution.partitions=0\n"), "{}", told.err);
}

#[test]
fn a_file_that_is_not_there_is_no_bad_config() {
    let told = Call::new().run(&["check", "c.yaml"]);
    assert_eq!(told.code, 1);
    assert!(told.err.starts_with("apisink: c.yaml: No such file"), "{}", told.err);
}

#[test]
fn the_schema_is_the_one_that_is_shipped() {
    let shipped = include_str!("../../../../configs/apisink.schema.json");
    assert_eq!(Call::new().run(&["schema"]).out, shipped);
}
