"""The audit as a whole: verdicts where they are known, invariances, and what it must not claim."""

import math

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits
from tests.memorization.quick import quick

import ornstein
from ornstein import audit
from ornstein.intervals import wilson_interval
from ornstein.memorization.audit_report import VERDICTS
from ornstein.memorization.image_variants import image_variants
from ornstein.memorization.reference import fitted_gaussian


def normal(seed: int, *sizes: int, dim: int = 16) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.standard_normal((n, dim)) for n in sizes]


def test_fresh_points_give_no_verdict() -> None:
    report = audit(*normal(0, 200, 200, 200), metrics=False, progress=False)
    assert report.verdict == "nothing detected"
    assert (report.copies, report.exact_copies) == ((), ())
    assert report.copied_share == 0
    assert 0.05 <= report.minimum_detectable_fraction < 0.1
    assert report.train_share_low < 0.5 < report.train_share_high
    assert report.dependence_p_value > 0.05
    assert report.gaussian_p_value > 0.3
    assert 0.5 < report.detectable_share < 0.75
    assert len(report.suspects) == 20
    assert report.warnings == ()
    assert report.sizes == {"train": 200, "held_out": 200, "generated": 200, "dim": 16}


def test_copies_are_named() -> None:
    train, held_out, new = normal(1, 300, 300, 300)
    new[:30] = train[50:80] + 0.01
    new[40] = train[7]
    report = quick(train, held_out, new)
    assert report.verdict == "copies"
    pairs = {copy.generated: copy.train for copy in report.copies}
    assert {g: g + 50 for g in range(30)}.items() <= pairs.items()
    assert pairs[40] == 7
    assert len(pairs) <= 36
    assert [tuple(copy)[:3] for copy in report.exact_copies] == [(40, 7, 0.0)]
    assert report.copied_share == len(pairs) / 300
    assert report.copied_share_low < report.copied_share < report.copied_share_high
    assert report.threshold <= min(copy.contrast for copy in report.copies)


def test_one_exact_copy_among_many_is_enough() -> None:
    train, held_out, new = normal(2, 100, 100, 4000, dim=8)
    new[1234] = train[56]
    report = quick(train, held_out, new)
    assert report.verdict == "copies"
    assert report.copies == ()
    assert [(copy.generated, copy.train) for copy in report.exact_copies] == [(1234, 56)]
    assert (report.copied_share_low, report.copied_share_high) == wilson_interval(1, 4000)


def test_a_model_that_has_learned_from_few_points_is_no_copier() -> None:
    """A Gaussian fitted to 100 points of 64 dimensions: (iii) yes, (ii) no, (i) none."""
    verdicts = []
    for seed in range(3):
        train, held_out = normal(seed, 100, 100, dim=64)
        rng = np.random.default_rng(seed + 100)
        report = quick(train, held_out, fitted_gaussian(train).sample(200, rng))
        verdicts.append(report.verdict)
        assert report.dependence_p_value < 0.01
        assert report.train_share > 0.7
        assert report.gaussian_share == pytest.approx(report.train_share, abs=0.15)
        # Of the mean over training sets 0.818; one set differs.
        assert report.gaussian_closed_form == pytest.approx(0.816, abs=0.01)
    assert verdicts.count("depends on the training data") >= 2


def test_closer_than_a_gaussian_without_a_copy() -> None:
    """Noise of the data's own size about training points: near them, and no copies."""
    train, held_out = normal(4, 300, 300, dim=4)
    rng = np.random.default_rng(4)
    new = train[rng.integers(0, 300, 600)] + 0.5 * rng.standard_normal((600, 4))
    report = quick(train, held_out, new)
    assert report.verdict == "closer than a Gaussian"
    assert report.copies == ()
    assert report.gaussian_p_value <= 0.05
    assert report.dependence_p_value <= 0.05


def test_without_dependence_there_is_no_second_verdict() -> None:
    """Points between two held-out ones: nothing depends on the training set."""
    train, held_out, new = normal(5, 60, 60, 60, dim=2)
    report = quick(train, held_out, new, alpha=0.9)
    assert VERDICTS.index(report.verdict) in {1, 2, 3}
    if report.dependence_p_value > 0.9:
        assert report.verdict == "nothing detected"


def test_swapping_the_sets_turns_f_into_1_minus_f() -> None:
    train, held_out, new = normal(6, 150, 100, 200)
    first, second = quick(train, held_out, new), quick(held_out, train, new)
    assert first.train_share + second.train_share == pytest.approx(1, abs=1e-14)


@pytest.mark.parametrize("change", ["shift and scale", "order", "float32", "shape"])
def test_what_does_not_change_the_verdict(change: str) -> None:
    train, held_out, new = normal(7, 120, 120, 120, dim=12)
    new[:20] = train[:20] + 0.01
    first = quick(train, held_out, new)
    sets = {
        "shift and scale": [1e4 + 3 * x for x in (train, held_out, new)],
        "order": [x[::-1] for x in (train, held_out, new)],
        "float32": [x.astype(np.float32) for x in (train, held_out, new)],
        "shape": [x.reshape(-1, 3, 4) for x in (train, held_out, new)],
    }[change]
    second = quick(*sets)
    assert second.train_share == pytest.approx(first.train_share, abs=0.02)
    assert second.verdict == first.verdict
    copied = {copy.generated for copy in second.copies}
    if change == "order":
        copied = {119 - g for g in copied}
    assert copied == {copy.generated for copy in first.copies}
    assert (second.pairs is not None) == (change == "shape")


def test_a_file_in_single_precision_has_its_copies_found() -> None:
    train, held_out, new = normal(8, 60, 60, 60)
    new[:2] = train[:2]
    report = quick(train, held_out, new.astype(np.float32))
    assert [copy.generated for copy in report.exact_copies] == [0, 1]
    assert report.verdict == "copies"


def test_flipped_and_shifted_copies_are_found_on_request() -> None:
    images = load_digits().images
    train, held_out, new = images[:150], images[150:300], images[300:400].copy()
    new[:15] = np.flip(train[:15], axis=2)
    new[15:30] = np.flip(train[15:30], axis=1)
    plain, turned = (quick(train, held_out, new, augment=how) for how in (None, "flips"))
    assert len(plain.copies) < 10
    assert {(copy.generated, copy.train) for copy in turned.copies} >= {(g, g) for g in range(30)}
    assert len(turned.exact_copies) == 30
    assert turned.pairs is not None  # each turned as it is nearest
    assert np.array_equal(turned.pairs.generated, turned.pairs.train)
    new[:30] = np.concatenate([train[:30, 1:], train[:30, -1:]], axis=1)  # one row is lost
    found = [
        sum(copy.train == copy.generated < 30 for copy in quick(*sets, augment=how).copies)
        for sets in [(train, held_out, new)]
        for how in (None, "shifts")
    ]
    assert found[0] < 5
    assert found[1] >= 20


def test_variants_of_images() -> None:
    image = np.arange(6.0).reshape(1, 2, 3)
    flat = image.reshape(1, -1)
    flips = image_variants((2, 3), "flips")(flat)
    assert [x.tolist()[0] for x in flips] == [
        [0, 1, 2, 3, 4, 5],
        [2, 1, 0, 5, 4, 3],
        [3, 4, 5, 0, 1, 2],
        [5, 4, 3, 2, 1, 0],
    ]
    shifts = image_variants((2, 3), "shifts")(flat)
    assert [x.tolist()[0] for x in shifts] == [
        [0, 1, 2, 3, 4, 5],
        [3, 4, 5, 3, 4, 5],
        [0, 1, 2, 0, 1, 2],
        [1, 2, 2, 4, 5, 5],
        [0, 0, 1, 3, 3, 4],
    ]
    assert len(image_variants((2, 3), "flips, shifts")(flat)) == 8
    last = image_variants((2, 3, 1), "flips")(flat)
    first = image_variants((1, 2, 3), "flips")(flat)
    for a, b, c in zip(flips, first, last, strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a, c)


def test_features_decide_what_a_copy_is() -> None:
    """Points that agree in what the features see, and in nothing else."""
    train, held_out, new = (x.reshape(-1, 4, 4) for x in normal(16, 150, 150, 100))
    new[:20, 0] = train[:20, 0]
    features = tuple(points[:, 0] for points in (train, held_out, new))
    alone, seen = (quick(train, held_out, new, features=f) for f in (None, features))
    assert alone.verdict != "copies"
    assert [copy.generated for copy in seen.exact_copies] == list(range(20))
    assert seen.sizes["dim"] == 4
    assert seen.warnings[0].startswith("Distances are those of the given features: they decide ")
    assert seen.pairs is not None
    assert seen.pairs.generated.shape[1:] == (4, 4)
    first = seen.copies[0]
    np.testing.assert_array_equal(seen.pairs.generated[0], new[first.generated])
    np.testing.assert_array_equal(seen.pairs.train[0], train[first.train])
    assert seen.pairs.rows[0] == (first.generated, first.train, first.distance)
    gaps = np.linalg.norm(features[1][:, None] - features[0], axis=2)
    assert seen.pairs.held_out_rows[0] == (
        *np.unravel_index(gaps.argmin(), gaps.shape),
        pytest.approx(gaps.min()),
    )
    for images, place, points in (
        (seen.pairs.held_out, 0, held_out),
        (seen.pairs.held_out_nearest, 1, train),
    ):
        np.testing.assert_array_equal(
            images, points[[label[place] for label in seen.pairs.held_out_rows]]
        )
    with pytest.raises(ValueError, match="features of held_out have 149 rows, expected 150"):
        quick(train, held_out, new, features=(features[0], features[1][1:], features[2]))
    with pytest.raises(ValueError, match="features are 2 sets, expected three"):
        quick(train, held_out, new, features=features[:2])
    with pytest.raises(ValueError, match="augment is for images, and features are given"):
        quick(train, held_out, new, features=features, augment="flips")


def test_groups_widen_what_chance_does() -> None:
    rng = np.random.default_rng(9)
    centres = rng.standard_normal((40, 1, 8))
    train, held_out = (
        (centres[part] + 0.05 * rng.standard_normal((20, 10, 8))).reshape(200, 8)
        for part in (slice(20), slice(20, 40))
    )
    new = rng.standard_normal((300, 8))
    labels = np.repeat(np.arange(20), 10)
    alone = quick(train, held_out, new)
    grouped = quick(train, held_out, new, groups=(labels, labels + 20))
    assert grouped.train_share == alone.train_share
    assert grouped.detectable_share > alone.detectable_share + 0.02
    assert grouped.grouped
    assert grouped.least_copies == 10


def test_rows_removed_and_limits_are_said() -> None:
    train, held_out, new = normal(10, 90, 40, 50, dim=100)
    held_out[:4] = train[:4]
    report = quick(np.concatenate([train, train[:10]]), held_out, new)
    text = " ".join(report.warnings)
    assert "Of 40 held-out rows, 4 equal a training row: removed" in text
    assert "10 training rows repeat another one" in text
    assert "Sizes differ" in text
    assert "90 training points in 100 dimensions: the fitted Gaussian is singular" in text
    assert report.sizes["train"] == 90
    assert report.sizes["held_out"] == 36
    assert math.isnan(report.gaussian_closed_form)  # n < d
    collapsed = quick(train, held_out, 0.001 * new)
    assert "effective number of only" in " ".join(collapsed.warnings)
    assert collapsed.copies == ()


def test_values_that_repeat_in_the_data_are_no_copies() -> None:
    rng = np.random.default_rng(11)
    train, held_out, new = (rng.integers(0, 3, (150, 3)) for _ in range(3))
    report = quick(train, held_out, new)
    assert len(report.exact_copies) > 100
    assert report.copies == ()
    assert report.verdict == "nothing detected"
    assert "an exact copy proves nothing" in report.warnings[0]
    assert (report.values_repeat, report.copied_share) == (True, 0)
    assert "No copying detected" in report.sentences()["copies"]


def test_metrics_of_values_that_repeat() -> None:
    rng = np.random.default_rng(17)
    report = quick(*(rng.integers(0, 2, (60, 4)) for _ in range(3)), metrics=True)
    assert all(math.isfinite(metric.value) for metric in report.metrics)
    assert report.copies == ()


@pytest.mark.parametrize("scale", [1e200, 1e-200])
def test_scales_that_leave_float64_are_refused(scale: float) -> None:
    with pytest.raises(ValueError, match="multiply all sets by one factor"):
        quick(*(scale * x for x in normal(18, 20, 20, 20)))


def test_many_held_out_points_make_short_lists() -> None:
    train, held_out, new = normal(19, 30, 600, 100)
    new[:3] = train[:3] + 0.01
    report = quick(train, held_out, new)
    assert report.least_copies == 1
    assert {copy.generated for copy in report.copies} == {0, 1, 2}
    assert "at least 1 copied training point is needed" in report.warnings[0]


def test_the_same_seed_gives_the_same_report() -> None:
    sets = normal(12, 80, 50, 60)
    first, second, other = (quick(*sets, random_state=seed) for seed in (3, 3, 4))
    assert first == second
    assert other.gaussian_share != first.gaussian_share
    assert other.train_share == first.train_share


def test_a_report_in_other_forms(tmp_path) -> None:
    sets = [x.reshape(-1, 4, 4) for x in normal(13, 80, 80, 60)]
    sets[2][:20] = sets[0][:20]
    report = quick(*sets, metrics=True)
    plain = report.to_dict()
    assert plain["verdict"] == "copies"
    assert plain["copies"][0] == report.copies[0]._asdict()
    assert plain["metrics"][0]["name"] == report.metrics[0].name
    assert "pairs" not in plain
    table = report.to_pandas()
    assert list(table.columns[:7]) == [
        "name",
        "value",
        "low",
        "high",
        "reference",
        "p_value",
        "detectable",
    ]
    assert table["value"][1] == report.train_share
    assert table["reference"][1] == report.gaussian_share
    assert len(table) == 3 + len(report.metrics)
    copies = report.copies_to_pandas()
    assert copies["exact"].sum() == 20
    assert set(copies.columns) == {"generated", "train", "distance", "contrast", "listed", "exact"}
    report.to_html(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert "data:image/png;base64," in page
    for sentence in report.sentences().values():
        assert sentence.replace("'", "&#x27;") in page
    assert repr(report).startswith("AuditReport('copies': ")
    assert "<strong>Answer.</strong> Copies were found: " in report._repr_html_()
    for text in (str(report), page, report._repr_html_(), str(plain)):
        assert "private" not in text.lower()
        assert "privacy" not in text.lower()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fdr": 0}, "fdr is 0, expected a number between 0 and 1"),
        ({"alpha": 1.0}, "alpha is 1, expected"),
        ({"augment": "turns"}, "augment is 'turns', expected 'flips', 'shifts' or 'flips,shifts'"),
        ({"augment": "flips"}, r"augment is 'flips', for images alone: points have shape"),
        ({"image_shape": (3, 5)}, r"image_shape is \(3, 5\), expected 16 values per point"),
        ({"groups": [1, 2]}, "groups have shapes"),
    ],
)
def test_bad_options_are_refused(changes, message) -> None:
    with pytest.raises(ValueError, match=message):
        quick(*normal(14, 20, 20, 20), **changes)


def test_bad_points_are_refused() -> None:
    train, held_out, new = normal(15, 20, 20, 20)
    with pytest.raises(ValueError, match="generated has 5 coordinates per point, expected 16"):
        quick(train, held_out, new[:, :5])
    with pytest.raises(ValueError, match="all 20 held-out rows equal training rows"):
        quick(train, train, new)
    with pytest.raises(ValueError, match="all training points are equal"):
        quick(np.ones((5, 16)), held_out, new)
    new[3, 4] = math.nan
    with pytest.raises(ValueError, match="generated has 1 NaN or infinite"):
        quick(train, held_out, new)


def test_it_is_public() -> None:
    assert ornstein.audit is audit
    assert ornstein.AuditReport.__module__ == "ornstein.memorization.audit_report"


def test_data_frames_are_read_in_one_geometry() -> None:
    """Categories and dates are part of the distance; a text alone is no data."""
    rng = np.random.default_rng(0)

    def table(n: int) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "income": np.exp(rng.normal(10, 1, n)).round(2),
                "age": rng.normal(40, 12, n).round(1),
                "city": rng.choice(["Rome", "Oslo", "Lima"], n),
                "day": pd.Timestamp("2020-01-01")
                + pd.to_timedelta(rng.integers(0, 900, n), unit="D"),
            }
        )

    train, held_out, made = table(300), table(300), table(300)
    made.iloc[:30] = train.iloc[:30].to_numpy()
    report = quick(train, held_out, made)
    assert report.verdict == "copies"
    assert {copy.generated for copy in report.exact_copies} >= set(range(30))
    assert report.sizes["dim"] >= 6


def test_another_unit_is_a_caution() -> None:
    rng = np.random.default_rng(0)
    a, b, c = (rng.standard_normal((60, 5)) for _ in range(3))
    assert quick(a, b, c).cautions == ()
    (said,) = quick(a, b, 100 * (c - c.mean(axis=0))).cautions
    assert said.startswith("The standard deviation of the generated points is ")
    (said,) = quick(a, b + 5, c).cautions
    assert said.startswith("The mean of the held-out points is ")
