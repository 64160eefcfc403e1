"""The benchmarks' own arithmetic: costs, the bucket's minimum, the bars of the table, the plot."""

import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks import measure
from benchmarks.paced import shortest
from benchmarks.plot import draw
from benchmarks.report import Row, compared, table

# A child of the command does the work: it counts too.
BUSY = (
    "import subprocess, sys; subprocess.run([sys.executable, '-c',"
    " 'import time; block = bytearray(64 << 20)\\nwhile time.process_time() < 0.5: pass'], check=True); print('done')"
)


def test_cost_is_that_of_the_whole_process_tree(tmp_path: Path) -> None:
    output = tmp_path / "output"
    # What this process holds is none of the command's.
    ballast = b"x" * (300 << 20)
    cost = measure.run([sys.executable, "-c", BUSY], output=output)
    del ballast
    assert 0.5 <= cost.cpu < 5
    assert cost.wall >= 0.5
    assert 64 < cost.peak_mb < 256
    assert output.read_text() == "done\n"


def test_a_command_that_fails_is_no_measurement() -> None:
    with pytest.raises(RuntimeError, match=r"ended with 3: (?s:.)*too bad"):
        measure.run([sys.executable, "-c", "import sys; sys.stderr.write('too bad'); sys.exit(3)"])


def test_cpu_after_a_line_leaves_out_what_came_before_it() -> None:
    before_and_after = (
        "import time\ndef busy(until):\n    while time.process_time() < until: pass\n"
        "busy(1.0)\nprint('{\"type\": \"RECORD\"}', flush=True)\nbusy(1.3)\nprint('end')"
    )
    cpu = measure.cpu_after_first(b'"RECORD"', [sys.executable, "-c", before_and_after], environment={})
    assert 0.2 < cpu < 0.9


def test_without_the_line_nothing_is_measured() -> None:
    with pytest.raises(RuntimeError, match="without b'RECORD'"):
        measure.cpu_after_first(b"RECORD", [sys.executable, "-c", "print('SCHEMA')"], environment={})


@pytest.mark.parametrize(
    ("rate_limit", "pages", "seconds"),
    [
        ("10;w=1,300;w=60", 10, 0),
        ("10;w=1,300;w=60", 11, 1),
        ("10;w=1,300;w=60", 300, 29),
        ("10;w=1,300;w=60", 301, 60),
        ("10;w=1,300;w=60", 700, 129),
        ("5;w=1,5;w=7", 6, 7),
    ],
)
def test_shortest_time_through_a_bucket(rate_limit: str, pages: int, seconds: float) -> None:
    assert shortest(rate_limit, pages) == seconds


def test_ratio_is_the_median_of_the_pairs() -> None:
    # The median of 1, 3 and 0.5; the ratio of the medians would be 2.
    row = compared("speed", ([1, 6, 4], [1, 2, 8]), "s", most=1)
    assert row == Row("speed", "4 s", "2 s", "1 (0.5 to 3)", "≤ 1", met=True)
    assert compared("speed", ([1, 6, 4], [1, 2, 8]), "s", most=0.99).met is False
    assert compared("speed", ([1, 6, 4], [1, 2, 8]), "s", least=1.01).met is False
    assert compared("speed", ([1, 6, 4], [1, 2, 8]), "s").met is None


def test_table_says_what_was_met() -> None:
    rows = [Row("a", "1", "2", "0.5", "≤ 1", met=True), Row("b", "3", "2", "1.5", "≤ 1", met=False)]
    assert table(rows).splitlines()[2:] == ["| a | 1 | 2 | 0.5 | ≤ 1 | yes |", "| b | 3 | 2 | 1.5 | ≤ 1 | **no** |"]


def test_plot_shows_everybody_at_one_size() -> None:
    cpu = {
        ("tap_ory", 200): [1.0, 2.0, 9.0],
        ("stock_tap", 200): [16.0],
        ("floor", 200): [1.0],
        ("tap_ory", 1000): [5.0],
    }
    svg = ET.fromstring(draw(cpu))
    names = {"svg": "http://www.w3.org/2000/svg"}
    texts = [text.text for text in svg.findall("svg:text", names)]
    assert texts[0] == "CPU seconds to read 200 identities (less is better)"
    assert texts[1:] == ["ten-line floor script", "1 s", "tap-ory", "2 s", "stock singer-sdk tap", "16 s"]
    widths = [float(bar.get("width", "nan")) for bar in svg.findall("svg:rect", names)]
    assert widths[1] == pytest.approx(2 * widths[0], rel=0.01)
    assert widths[2] == pytest.approx(16 * widths[0], rel=0.01)


def test_nothing_measured_is_nothing_to_draw() -> None:
    with pytest.raises(ValueError, match="nothing to draw"):
        draw({})
