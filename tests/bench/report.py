"""The benchmark's result as a table and a plot."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import work

if TYPE_CHECKING:
    from bench import HeldBack, Measured

HEAD = (
    "| work | bare loop | apisink | of the loop | sending | of the loop, sending | aiohttp job | times the job |\n"
    "|---|---|---|---|---|---|---|---|"
)


def table(results: dict[str, dict[str, Measured]], loop: str, apisink: str, aiohttp: str) -> str:
    """Rates are requests per second; CPU seconds per 100,000 requests stand in brackets."""
    lines = [HEAD]
    for name, by in results.items():
        ours, other = by[apisink], by[aiohttp]
        cells = beside_the_loop(name, by[loop], ours)
        cells += [f"{other.rate:,.0f}/s ({other.cpu:.1f})", f"{ours.rate / other.rate:.1f}"]
        lines.append(line(cells))
    return "\n".join(lines)


def line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def beside_the_loop(name: str, base: Measured, ours: Measured) -> list[str]:
    """The cells that both tables begin with."""
    return [
        name,
        f"{base.sending_rate:,.0f}/s ({base.cpu:.1f})",
        f"{ours.rate:,.0f}/s ({ours.cpu:.1f})",
        f"{ours.rate / base.rate:.2f}",
        f"{ours.sending_rate:,.0f}/s",
        f"{ours.sending_rate / base.sending_rate:.2f}",
    ]


MORE_HEAD = (
    "| work | bare loop | apisink | of the loop | sending | of the loop, sending | to the first request |"
    " most memory |\n"
    "|---|---|---|---|---|---|---|---|"
)


def more(results: dict[str, dict[str, Measured]], loop: str, apisink: str) -> str:
    """As above, without the aiohttp job."""
    lines = [MORE_HEAD]
    for name, by in results.items():
        ours = by[apisink]
        cells = beside_the_loop(name, by[loop], ours)
        lines.append(line([*cells, f"{ours.to_first * 1000:,.0f} ms", f"{ours.memory:,.0f} MB"]))
    return "\n".join(lines)


def many_rows(small: Measured, few: Measured, many: Measured) -> str:
    """What a row costs in jobs of different sizes, without what a job costs that hardly has rows."""

    def seconds(of: Measured) -> float:
        return of.cpu * of.rows / 100_000

    def row(of: Measured) -> float:
        return (seconds(of) - seconds(small)) / (of.rows - small.rows)

    times = f"{row(many) / row(few):.2f} times the CPU time of one of {few.rows:,.0f}"
    return (
        f"A job of {small.rows:,.0f} rows takes {seconds(small):.1f} CPU seconds. Without those a row of\n"
        f"{many.rows:,.0f} takes {times} (aim: within 5%)."
    )


def held_back(held: HeldBack) -> str:
    w = held.work
    return (
        f"A job that is held back, {w.rows:,} rows in {w.partitions} partitions at {w.limit} requests per second,\n"
        f"once, in a session that has run {work.WARM_UPS} of that kind without the limit: it used {held.used:.3f}\n"
        f"of the limit while sending (aim: at least 0.99), and its processes "
        f"{held.cpu:.1%} of one core over the whole run (aim: below 5%)."
    )


def latency(figures: dict[str, float]) -> str:
    """From the figures of `apisink-latency`, in µs."""

    def times(who: str) -> str:
        return f"{figures[who + '_p50']:,.0f} and {figures[who + '_p99']:,.0f} µs"

    return (
        f"Latency at {figures['rate']:,} requests per second (`make bench-latency`), from the moment that a request\n"
        f"is due to its answer's last byte, p50 and p99: the transport {times('engine')}, a bare hyper loop\n"
        f"{times('bare')}. Within a round p99 is {figures['added_p99']:,.0f} µs later (aim: at most 200 µs; quartiles\n"
        f"{figures['added_p99_low']:,.0f} and {figures['added_p99_high']:,.0f} µs); medians of"
        f" {figures['rounds']} rounds."
    )


def write(
    path: Path,
    lines: str,
    results: dict[str, dict[str, Measured]],
    machine: str,
    command: str,
    rounds: int,
    more_rounds: int,
) -> None:
    picture = path.with_suffix(".svg")
    plot(picture, results)
    rounds_text = "one round" if rounds == 1 else f"medians of {rounds} interleaved rounds"
    path.write_text(
        f"""# Performance

Written by `{command}` on {datetime.now(UTC):%Y-%m-%d}: {rounds_text} on {machine}. Absolute rates depend on the machine
and on what else it does; the ratios are taken within each run. The second table, without the aiohttp job, is of
{min(rounds, more_rounds)} rounds.

- *bare loop*: hyper alone sending the same requests to the same server, answers read and forgotten; those in gzip are
  not decompressed.
- *apisink*: the whole Spark job into Delta, config as in `tests/bench/apisink_job.py`, in a warm session: one that has
  run {work.WARM_UPS} jobs of the first line before: the JVM compiles what is measured while they run.
- *aiohttp job*: the same work in PySpark with `mapInArrow`, aiohttp, uvloop and orjson, `tests/bench/aiohttp_job.py`.
- *sending*: from the first to the last arrival at the server, without Spark's planning, shuffle and the Delta append.
- *to the first request*: from `save()` on, in a warm session; *most memory*: of the JVM, heap (up to 3 GB) included.
- *TLS*: with HTTP/1.1 unless said otherwise. Large answers are words, other ones in each answer; those *in gzip* are of
  as many bytes once they are decompressed.
- In brackets: CPU seconds per 100,000 requests, of the whole process tree. The server runs on the same cores.

{lines}

![Requests per second]({picture.name})

[Where the CPU goes](profile.md).
"""
    )


def plot(path: Path, results: dict[str, dict[str, Measured]]) -> None:
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "apisink"
    from matplotlib import pyplot

    names = list(next(iter(results.values())))
    figure, axes = pyplot.subplots(figsize=(9, 4))
    width = 0.8 / len(names)
    for index, name in enumerate(names):
        heights = [by[name].rate for by in results.values()]
        places = [place + index * width for place in range(len(results))]
        axes.bar(places, heights, width, label=name)
    axes.set_xticks([place + width for place in range(len(results))], list(results))
    axes.set_ylabel("requests per second, whole job")
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
