"""No secret in what runs leave behind: APIs that echo them, debug logging on, and a grep over all of it.

One Spark job makes a run for each kind of credential, each against an API of its own that asks for it.
"""

from __future__ import annotations

import base64
import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from cluster import QUICK, environment, executor_folders, spark_submit
from origin import Origin

# Variables of the driver; those that begin with APISINK_SECRET_ are what {{secret.test:…}} finds in its environment.
# Many would be changed on their way into JSON, into a URL and into Base64.
SECRETS = {
    "APISINK_SECRET_TEST__QUERY": "marker&query=4714",
    "APISINK_SECRET_TEST__PATH": "marker path 4715",
    "MARKER_HEADER": "marker-header-4713",
    "MARKER_TOKEN": "marker-token-4711",
    "MARKER_PASSWORD": 'marker"pass word/4712',
    "MARKER_KEY": "marker-key-4716",
    "MARKER_QUERY_KEY": "marker+key=4717",
    "MARKER_CLIENT": "marker:client%4718",
    "MARKER_USER_PASSWORD": "marker user/pass&4719",
    "MARKER_CREDENTIAL": "marker-credential-4720",
    "MARKER_AWS_SECRET": "marker/aws+secret4721",
    "MARKER_AWS_SESSION": "marker/aws+session==4722",
    "MARKER_PROXY": "marker proxy/4723",
}
USER = "marker-user"
# What the token endpoint makes up by itself, as it is and as URLs write it.
TOKENS = re.compile(rb"access-\d{6}-[0-9a-f]{8}|refresh(?:\+|%2[Bb])\d{6}(?:/|%2[Ff])[0-9a-f]{8}")


@dataclass(frozen=True)
class Kind:
    """A run with credentials of one kind. `{url}` in the config stands for its API."""

    name: str
    auth: str
    flags: tuple[str, ...]
    middleware: str = ""
    transport: str = ""
    url: str = "{url}"
    pairs: tuple[str, ...] = field(default=())


def oauth2(kind: str, rest: str) -> str:
    client = 'client_id: clinic, client_secret: "{{env.MARKER_CLIENT}}"'
    return f'{{type: {kind}, token_url: "{{url}}/oauth/token", {client}, {rest}}}'


OAUTH2 = ("--oauth", f"clinic:{SECRETS['MARKER_CLIENT']}", "--token-life", "2s", "--latency", "fixed:20ms")
AWS = f"AKIDMARKER:{SECRETS['MARKER_AWS_SECRET']}:eu-central-1:execute-api:{SECRETS['MARKER_AWS_SESSION']}"
KINDS = [
    Kind("bearer", '{type: bearer, token: "{{env.MARKER_TOKEN}}"}', ("--bearer", SECRETS["MARKER_TOKEN"])),
    Kind(
        "basic",
        f'{{type: basic, username: {USER}, password: "{{{{env.MARKER_PASSWORD}}}}"}}',
        ("--basic", f"{USER}:{SECRETS['MARKER_PASSWORD']}"),
        pairs=(f"{USER}:{SECRETS['MARKER_PASSWORD']}",),
    ),
    Kind(
        "api-key",
        '{type: api_key, name: X-Marker, value: "{{env.MARKER_KEY}}"}',
        ("--api-key", f"header:X-Marker={SECRETS['MARKER_KEY']}"),
    ),
    Kind(
        "query-key",
        '{type: api_key, in: query, name: marker, value: "{{env.MARKER_QUERY_KEY}}"}',
        ("--api-key", f"query:marker={SECRETS['MARKER_QUERY_KEY']}"),
    ),
    Kind("client", oauth2("oauth2_client_credentials", "client_auth: body"), OAUTH2),
    Kind(
        "user",
        oauth2("oauth2_password", f'username: {USER}, password: "{{{{env.MARKER_USER_PASSWORD}}}}"'),
        (*OAUTH2, "--oauth-user", f"{USER}:{SECRETS['MARKER_USER_PASSWORD']}", "--token-refresh"),
        pairs=(f"clinic:{quote_plus(SECRETS['MARKER_CLIENT'])}",),
    ),
    Kind(
        "middleware",
        "{type: none}",
        ("--bearer", SECRETS["MARKER_TOKEN"]),
        middleware='  - {type: bearer_token, token: "{{env.MARKER_TOKEN}}"}\n'
        '  - {type: header_auth, header: X-Marker, value: "{{env.MARKER_CREDENTIAL}}", prefix: "Key "}\n'
        f'  - {{type: header_auth, header: X-Pair, username: {USER}, password: "{{{{env.MARKER_PASSWORD}}}}"}}\n',
    ),
    Kind(
        "aws",
        '{type: aws_sigv4, access_key_id: AKIDMARKER, secret_access_key: "{{env.MARKER_AWS_SECRET}}", '
        'session_token: "{{env.MARKER_AWS_SESSION}}", region: eu-central-1, service: execute-api}',
        ("--sigv4", AWS),
    ),
    Kind(
        "proxy",
        '{type: bearer, token: "{{env.MARKER_TOKEN}}"}',
        # It takes requests in the form for proxies, and answers them itself.
        ("--bearer", SECRETS["MARKER_TOKEN"]),
        transport=f'allow_insecure_http: true, proxy: {{url: "{{url}}", username: {USER}, '
        'password: "{{env.MARKER_PROXY}}"}',
        url="http://api.example.com",
        pairs=(f"{USER}:{SECRETS['MARKER_PROXY']}",),
    ),
    Kind(
        "certificate",
        '{type: bearer, token: "{{env.MARKER_TOKEN}}"}',
        ("--bearer", SECRETS["MARKER_TOKEN"]),
        transport='tls: {client_cert: "{{env.MARKER_CERTIFICATE}}", client_key: "{{env.MARKER_CERTIFICATE_KEY}}"}',
    ),
]

JOB = """
import os, sys, traceback
from pyspark.sql import SparkSession, functions as F

spark = SparkSession.builder.getOrCreate()
source = spark.range(60).select(F.format_string("t-%03d", "id").alias("tracking_id"), F.lit("x").alias("name"))
source.createOrReplaceTempView("source")
for directory in sys.argv[1:]:
    good, unsinkable, sink = (os.path.join(directory, name) for name in ("good.yaml", "unsinkable.yaml", "sink"))
    source.write.format("apisink").option("config", good).mode("append").save()
    insert = f"INSERT INTO apisink.default.rows WITH ('config' = '{good}') SELECT * FROM source"
    print(spark.sql(f"EXPLAIN EXTENDED {insert}").head()[0])
    spark.read.format("delta").load(sink).show(100, truncate=False)
    spark.sql(f"DESCRIBE HISTORY delta.`{sink}`").show(100, truncate=False)
    try:
        source.write.format("apisink").option("config", unsinkable).mode("append").save()
    except Exception:
        traceback.print_exc()
"""

CONFIG = """
execution: {{partitions: 2, journal_path: "{journal}"}}
transport: {{{transport}}}
auth: {auth}
endpoint:
  method: POST
  base_path: "{base}"
  url_path: "/v1/{{{{secret.test:path}}}}/rows?key={{{{secret.test:query}}}}"
  headers: {{X-Api-Key: "{{{{env.MARKER_HEADER}}}}"}}
middleware:
  - {{type: retry, max_attempts: 2, base_delay: 0.01}}
  - {{type: logging, level: debug, to_sink: true, bodies: true}}
  - {{type: timing}}
  - {{type: json_body}}
{middleware}tables:
  source: {{id_column: tracking_id}}
  sink: {{path: "{sink}", request_headers: true, request_body: true, response_headers: [set-cookie, content-type]}}
"""


def forms(secret: str) -> Iterator[str]:
    """A secret as it is, as JSON and as a URL write it."""
    yield secret
    yield secret.replace('"', '\\"')
    yield quote(secret, safe="")
    yield quote_plus(secret)


def client_certificate(folder: Path) -> dict[str, str]:
    """A certificate and its key, in the variables that the configs name."""
    files = {"MARKER_CERTIFICATE": folder / "certificate.pem", "MARKER_CERTIFICATE_KEY": folder / "key.pem"}
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-subj", "/CN=marker", "-out", str(files["MARKER_CERTIFICATE"])]
    subprocess.run([*command, "-keyout", str(files["MARKER_CERTIFICATE_KEY"])], check=True, capture_output=True)
    return {name: file.read_text() for name, file in files.items()}


@dataclass(frozen=True)
class LeftBehind:
    """What a session with a run of each kind left in its folder, and what the APIs saw."""

    folder: Path
    seen: dict[str, dict[str, int]]
    key: str

    def wanted(self) -> list[bytes]:
        """What must not be found in it."""
        pairs = {base64.b64encode(pair.encode()) for kind in KINDS for pair in kind.pairs}
        lines = {line.encode() for line in self.key.splitlines() if not line.startswith("-")}
        return sorted({form.encode() for secret in SECRETS.values() for form in forms(secret)} | pairs | lines)


def write_configs(kind: Kind, url: str, folder: Path, work: Path) -> None:
    """`good.yaml`, and one whose sink cannot be made: the answers stay in the journal."""
    auth, transport = kind.auth.replace("{url}", url), kind.transport.replace("{url}", url)
    nowhere = work / "not-a-directory" / "sink"
    for name, sink in {"good": folder / "sink", "unsinkable": nowhere}.items():
        text = CONFIG.format(
            auth=auth,
            transport=transport,
            base=kind.url.format(url=url),
            middleware=kind.middleware,
            journal=folder / "journal",
            sink=sink,
        )
        (folder / f"{name}.yaml").write_text(text)


@pytest.fixture(scope="module")
def left_behind(tmp_path_factory: pytest.TempPathFactory) -> LeftBehind:
    certificate = client_certificate(tmp_path_factory.mktemp("certificate"))
    work = tmp_path_factory.mktemp("secrets")
    log4j = work / "log4j2.properties"
    log4j.write_text(
        "rootLogger.level = info\nrootLogger.appenderRef.a.ref = console\nappender.c.type = Console\n"
        "appender.c.name = console\nappender.c.target = SYSTEM_ERR\nappender.c.layout.type = PatternLayout\n"
        "appender.c.layout.pattern = %p %c: %m%n%ex\nlogger.ours.name = io.apisink\nlogger.ours.level = trace\n"
        "logger.plans.name = org.apache.spark.sql.execution\nlogger.plans.level = debug\n"
    )
    (work / "events").mkdir()
    (work / "not-a-directory").write_text("")
    job = work / "job.py"
    job.write_text(JOB)
    options = f"{QUICK} -Dlog4j2.configurationFile={log4j}"
    settings = {
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": (work / "events").as_uri(),
        "spark.driver.extraJavaOptions": options,
        "spark.executor.extraJavaOptions": options,
    }
    with ExitStack() as running:
        apis = {}
        for kind in KINDS:
            faults = ("--echo", "--fail-every", "7:500", "--fail-every", "11:404")
            apis[kind.name] = running.enter_context(Origin.start(*kind.flags, *faults))
            (work / kind.name).mkdir()
            write_configs(kind, apis[kind.name].url, work / kind.name, work)
        command = spark_submit(job, *[work / kind.name for kind in KINDS], conf=settings)
        with executor_folders(kept_in=work / "executors"):
            done = subprocess.run(
                command,
                check=False,
                env=environment(SECRETS | certificate),
                cwd=work,
                capture_output=True,
                text=True,
                timeout=500,
            )
        seen = {name: api.report() for name, api in apis.items()}
    (work / "driver.out").write_text(done.stdout)
    (work / "driver.err").write_text(done.stderr)
    assert done.returncode == 0, done.stderr[-4000:]
    return LeftBehind(work, seen, certificate["MARKER_CERTIFICATE_KEY"])


def test_there_is_much_to_look_through(left_behind: LeftBehind) -> None:
    """Else the test below would be worthless."""
    work, seen = left_behind.folder, left_behind.seen
    assert "io.apisink.exchange" in (work / "driver.err").read_text() + all_text(work / "executors")
    shown = (work / "driver.out").read_text()
    assert "ApiSinkWrite" in shown and "***" in shown
    assert list((work / "events").rglob("*")), "an event log"
    for kind in KINDS:
        assert seen[kind.name]["requests"] > 100, (kind.name, seen[kind.name])
        assert seen[kind.name]["unauthorized"] == 0, (kind.name, seen[kind.name])
        assert list((work / kind.name / "journal").rglob("*.arrow")), f"{kind.name}: a journal that was not taken"
        assert list((work / kind.name / "sink").rglob("*.parquet")), f"{kind.name}: a sink"


def test_runs_leave_no_secret_behind(left_behind: LeftBehind) -> None:
    findings = []
    for file in sorted(path for path in left_behind.folder.rglob("*") if path.is_file()):
        content = file.read_bytes()
        found = [secret for secret in left_behind.wanted() if secret in content] + TOKENS.findall(content)[:3]
        findings += [f"{secret!r} in {file.relative_to(left_behind.folder)}" for secret in found]
    assert not findings, "\n".join(findings[:20])


def all_text(directory: Path) -> str:
    return "".join(path.read_text(errors="replace") for path in directory.rglob("*") if path.is_file())
