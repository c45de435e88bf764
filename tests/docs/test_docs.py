"""The documentation says what is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def without_comments(yaml: str) -> list[str]:
    lines = (re.sub(r"(^|\s+)#.*$", "", line).rstrip() for line in yaml.splitlines())
    return [line for line in lines if line.strip()]


def test_the_config_that_the_readme_explains_is_the_one_that_is_shipped() -> None:
    found = re.search(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert found
    assert without_comments(found[1]) == without_comments((ROOT / "configs" / "patients.yaml").read_text())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text())
    broken = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not broken


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        named = set(re.findall(r"`make ([a-z0-9-]+)", page.read_text()))
        assert named <= targets, f"{page}: {named - targets}"


def test_every_test_that_the_guarantees_name_exists() -> None:
    text = " ".join((ROOT / "docs" / "guarantees.md").read_text().split())
    missing = [path for path in re.findall(r"`((?:tests|rust)/[^`]+)`", text) if not (ROOT / path).exists()]
    suites = {suite.stem: suite.read_text() for suite in (ROOT / "scala" / "src" / "test").rglob("*Suite.scala")}
    missing += [name for name in re.findall(r"`(\w+Suite)`", text) if name not in suites]
    for suite, names in re.findall(r"`(\w+Suite)`: ([^|.()`]+)", text):
        tests = " ".join(re.findall(r'test\("([^"]+)"\)', suites.get(suite, "")))
        missing += [f"{suite}: {name}" for name in names.split(";") if name.strip() not in tests]
    assert not missing
