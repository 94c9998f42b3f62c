"""The tables of reverse probes say what the results hold, at full precision in CSV, and warn of unlike probes."""

from pathlib import Path

import numpy as np
import pytest

from qscore.report.page import write_report
from qscore.report.reverse_probing.added import added_csv, added_table
from qscore.report.reverse_probing.bridge import bridge_csv, bridge_table
from qscore.report.reverse_probing.cumulative import cumulative_csv, cumulative_table
from qscore.report.reverse_probing.measures import AMI, NATS, spread
from qscore.report.reverse_probing.overview import overview_csv, overview_table, reverse_notes
from qscore.report.reverse_probing.pair_figure import shown_pairs
from qscore.report.reverse_probing.pairs import pairs_csv, pairs_of, pairs_table
from qscore.report.reverse_probing.sweep import sweep_csv
from qscore.report.reverse_probing.transfer import transfer_csv, transfer_table
from tests.report.reverse_probing.planted import GROUPS, MEASURES, moved, probed


def test_every_encoder_has_a_row_of_shuffled_concepts() -> None:
    encoders = [probed("a"), probed("b", num_clusterings=1)]
    header, rows = overview_table(encoders)
    assert [row[header.index("Concepts")] for row in rows] == 2 * ["40", "40, shuffled"]
    assert "±" in rows[0][4]
    assert "±" not in rows[2][4]
    names, full = overview_csv(encoders)
    own = dict(zip(names, full[0], strict=True))
    assert float(own["ami"]) == encoders[0].results["reverse_probing"].metrics["ami"]
    assert own["probe groups"] == ", ".join(GROUPS)
    assert dict(zip(names, full[2], strict=True))["ami_sd"] == ""


def test_probes_that_differ_are_warned_of() -> None:
    assert reverse_notes([probed("a"), probed("b")]) == []
    (note,) = reverse_notes([probed("a"), probed("b", num_clusters=20)])
    assert "differ in the number of clusters (10; 20)" in note
    fewer = probed("c")
    fewer.results["reverse_probing"].metrics["num_concepts"] = 7
    assert "number of concepts" in reverse_notes([probed("a"), fewer])[0]


def test_undefined_numbers_are_left_out_of_means() -> None:
    assert spread([np.nan, 1.0]) == (1.0, None)
    assert spread([np.nan]) == (None, None)
    assert NATS.said((-0.0123, 0.001)) == "-0.012\u00a0±\u00a00.001"
    assert AMI.said((0.02, None), signed=True) == "+2.0"


def test_differences_of_groups_are_those_of_each_clustering() -> None:
    encoder = probed()
    header, rows = added_csv([encoder])
    assert len(rows) == len(GROUPS) * 5
    planted = encoder.array("reverse_probing", "added")[:, :, MEASURES.index("ami")]
    assert [float(row[header.index("ami")]) for row in rows] == pytest.approx(planted.ravel())
    _, printed = added_table([encoder])
    change = planted[0]
    assert printed[0][4] == f"{100 * change.mean():+.1f}\u00a0±\u00a0{100 * change.std(ddof=1):.1f}"


def test_steps_of_both_kinds_and_every_k_are_in_the_tables() -> None:
    _, rows = cumulative_table([probed()])
    assert [(row[1], row[2]) for row in rows] == [
        *(("with labels", step) for step in ("labels", "+ objects", "+ scene", "+ colour")),
        *(("without labels", step) for step in ("objects", "+ scene", "+ colour")),
        ("", "all, shuffled"),
    ]
    assert len(cumulative_csv([probed()])[1]) == 8 * 5
    swept = sweep_csv([probed(num_clusterings=1)])[1]
    assert [row[1:3] for row in swept] == [
        [k, kind] for k in ("5", "10", "20", "40", "80") for kind in ("own", "shuffled")
    ]
    assert all(abs(float(row[4])) < 0.2 for row in swept if row[2] == "shuffled")
    bare = sweep_csv([probed(num_clusterings=1, without=("by_k_shuffled",))])[1]
    assert {row[2] for row in bare} == {"own"}


def test_pairs_keep_their_images_ranks_and_gaps() -> None:
    first, second = pairs_of(probed())
    assert [None if a is None else len(a) for a in first.images] == [25, 7]
    assert second.clusters == (2, 3)
    assert first.numbers == "confusion 31.0 % → 4.2 %, 31 and 31 test samples, p = 1.3e-05"
    sizes = [abs(theta) for _, theta in first.concepts]
    assert sizes == sorted(sizes, reverse=True)
    bare = pairs_of(probed(without=("pair_images", "pair_concepts", "pair_theta", "pair_p", "pair_num")))[0]
    assert (bare.images, bare.concepts, bare.p) == ((None, None), (), None)
    assert len(pairs_csv([probed()])[1]) == 2 * 12
    assert len(pairs_table([probed()])[1]) == 2


def test_every_encoder_gets_its_share_of_the_pairs_that_are_drawn() -> None:
    encoders = [probed(str(i), num_pairs=10) for i in range(5)] + [probed("few", num_pairs=1)]
    shown = [pair.encoder.name for pair in shown_pairs(encoders)]
    assert len(shown) == 12
    assert set(shown) == {e.name for e in encoders}
    assert shown == sorted(shown, key=[e.name for e in encoders].index)


def test_bridge_and_transfer_rows() -> None:
    encoder = moved(probed(), "stl10")
    _, ((_, num, _, spearman, *aurocs),) = bridge_table([encoder])
    assert (num, spearman) == ("300", "-0.200 [-0.250, -0.150]")
    assert [text[:5] for text in aurocs] == ["0.650", "0.700", "0.750", "0.800", "–", "–"]
    assert bridge_csv([encoder])[0][1] == "surprise_q_spearman"
    assert [row[1:3] for row in transfer_csv([encoder])[1]] == [
        ["source", "source"],
        ["stl10", "stored"],
        ["stl10", "own"],
    ]
    assert len(transfer_table([encoder])[1]) == 3


def test_the_paper_s_tables_unfold_with_their_cautions(tmp_path: Path) -> None:
    page = write_report([probed()], tmp_path).read_text()
    assert "What the paper prints: table 2, ICLR 2022" in page
    assert "garbled" in page
    assert page.count("<details>") == 4  # tables 6, D.1, 2 and 3: no transfer here
