"""What is in `dist/apisink.jar`: apisink, the part of Arrow that Spark lacks, and a native library that shows its entry
points and nothing else. With `APISINK_OLDEST_GLIBC` set, as `make release-jar` does: one that runs with that glibc."""

from __future__ import annotations

import io
import os
import re
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection
from elftools.elf.sections import SymbolTableSection

ROOT = Path(__file__).resolve().parents[2]
JAR = ROOT / "dist" / "apisink.jar"
NATIVE = ROOT / "scala/src/main/java/io/apisink/jni/Native.java"

ALLOWED = (
    "io/apisink/",
    "org/apache/spark/sql/apisink/",
    "org/apache/arrow/c/",
    "arrow_cdata_jni/",
    "native/",
    "META-INF/MANIFEST.MF",
    "META-INF/LICENSE",
    "META-INF/NOTICE",
    "META-INF/THIRD-PARTY",
    "META-INF/DEPENDENCIES",
    "META-INF/maven/org.apache.arrow/arrow-c-data/",
    "META-INF/services/org.apache.spark.sql.sources.DataSourceRegister",
)

# What every Linux with a glibc has.
SYSTEM = re.compile(r"(libc|libm|libdl|librt|libpthread|ld-linux-[\w-]+|libgcc_s)\.so\.\d+$")


@pytest.fixture(scope="module")
def jar() -> Iterator[zipfile.ZipFile]:
    assert JAR.exists(), "run `make jar` first"
    with zipfile.ZipFile(JAR) as opened:
        yield opened


@pytest.fixture(scope="module")
def library(jar: zipfile.ZipFile) -> ELFFile:
    names = [name for name in jar.namelist() if name.startswith("native/") and not name.endswith("/")]
    assert len(names) == 1 and re.fullmatch(r"native/linux-(x86_64|aarch64)/libapisink\.so", names[0]), names
    return ELFFile(io.BytesIO(jar.read(names[0])))


def test_the_jar_holds_nothing_that_could_meet_another_version_of_itself(jar: zipfile.ZipFile) -> None:
    files = [name for name in jar.namelist() if not name.endswith("/")]
    assert [name for name in files if not name.startswith(ALLOWED)] == []
    assert len(files) == len(set(files))


def test_spark_finds_the_data_source_by_its_name(jar: zipfile.ZipFile) -> None:
    registered = jar.read("META-INF/services/org.apache.spark.sql.sources.DataSourceRegister").decode().split()
    assert registered == ["io.apisink.spark.ApiSinkProvider"]
    assert "io/apisink/spark/ApiSinkProvider.class" in jar.namelist()


def test_the_notices_of_its_parts_are_in_it(jar: zipfile.ZipFile) -> None:
    notice = jar.read("META-INF/NOTICE").decode()
    assert (ROOT / "NOTICE").read_text().strip() in notice and "Arrow Java C Data Interface" in notice


def test_the_licences_of_its_parts_are_in_it(jar: zipfile.ZipFile) -> None:
    told = jar.read("META-INF/THIRD-PARTY").decode()
    assert told == (ROOT / "THIRD-PARTY").read_text()
    shipped = ["cargo", "tree", "--locked", "--package", "apisink-native", "--package", "apisink-cli"]
    listed = [*shipped, "--edges", "normal", "--prefix", "none", "--format", "{p}"]
    tree = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    crates = {tuple(line.split()[:2]) for line in tree.splitlines() if line and "(/" not in line}
    named = {(name, f"v{version}") for name, version in re.findall(r"^  (\S+) (\S+)", told, re.MULTILINE)}
    assert crates - named == set(), "run `make notices`"
    assert len(crates) > 100


def test_the_library_exports_the_methods_of_native_java_and_nothing_else(library: ELFFile) -> None:
    symbols = library.get_section_by_name(".dynsym")
    assert isinstance(symbols, SymbolTableSection)
    exported = {symbol.name for symbol in symbols.iter_symbols() if symbol["st_shndx"] != "SHN_UNDEF" and symbol.name}
    declared = re.findall(r"public static native [\w\[\]]+ (\w+)\(", NATIVE.read_text())
    assert exported == {f"Java_io_apisink_jni_Native_{method}" for method in declared}
    assert len(declared) > 10


def test_the_library_needs_what_every_linux_has(library: ELFFile) -> None:
    dynamic = library.get_section_by_name(".dynamic")
    assert isinstance(dynamic, DynamicSection)
    needed = [str(getattr(tag, "needed", "")) for tag in dynamic.iter_tags("DT_NEEDED")]
    assert [name for name in needed if not SYSTEM.match(name)] == []


@pytest.mark.skipif("APISINK_OLDEST_GLIBC" not in os.environ, reason="the jar of this machine is for this machine")
def test_the_library_runs_with_the_oldest_glibc(library: ELFFile) -> None:
    oldest = version(os.environ["APISINK_OLDEST_GLIBC"])
    section = library.get_section_by_name(".gnu.version_r")
    assert isinstance(section, GNUVerNeedSection)
    wanted = [entry.name for _, entries in section.iter_versions() for entry in entries]
    glibc = [version(name.removeprefix("GLIBC_")) for name in wanted if name.startswith("GLIBC_")]
    assert glibc and max(glibc) <= oldest
    assert [name for name in wanted if not name.startswith("GLIBC_")] == []


def version(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))
