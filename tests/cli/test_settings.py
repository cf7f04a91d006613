"""Settings: what a file says is what runs; ``--print_config`` reads back as itself."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import numpy as np
import pytest

from ornstein.cli.main import COMMANDS, _parse
from ornstein.cli.parsing import UsageError, call, given_option, integers, options_of
from ornstein.cli.predict import PREDICTIONS
from ornstein.settings_files import SettingsError, dump_settings, load_settings

VARIANTS = {
    "linear": ["linear"],
    "unet": ["unet"],
    "steps": ["steps"],
    "recursion": ["recursion"],
    "recursion, mlp": ["recursion", "--model", "mlp"],
    "steps, empirical": ["steps", "--model", "empirical"],
    "steps, unet": ["steps", "--model", "unet"],
    "steps, mlp": ["steps", "--model", "mlp"],
    "verify": ["verify"],
    "audit": ["audit"],
    "forecast": ["forecast"],
    **{f"predict {name}": ["predict", name] for name in PREDICTIONS},
}
"""Every command that has a configuration."""
ROUNDS = 3
"""Sets of options for each command; every option is given in one of them at least."""
TEXTS = [
    "10:50:10",
    "1e4",
    "007",
    "yes",
    "null",
    "1:2:3",
    "0x10",
    "~",
    "3",
    "a: b",
    "#x",
    "é ±",
    "",
]
TUPLES = {
    tuple[int, ...]: ["10:50:10", "5", "1e3,20", "2,3:9:3"],
    tuple[float, ...]: ["0.5", "1e-3,2", "0:1:0.5"],
    tuple[str, ...]: ["ddpm", "ddim:0.5,heun"],
}


def value_of(kind: Any, name: str, rng: np.random.Generator) -> str | None:
    """A text that the option may be given; None for a flag."""
    kinds = [each for each in get_args(kind) if each is not type(None)]
    if kind in TUPLES:
        return str(rng.choice(TUPLES[kind]))
    if get_origin(kind) is Literal:
        return str(rng.choice(get_args(kind)))
    if kind is bool:
        return None
    if kind is int:
        return str(rng.choice(["3", "17", "1e4", "010"]))
    if kind is float:
        return str(rng.choice(["0.25", "1e-3", "3", "7.50"]))
    if kind is str:
        return str(rng.choice(TEXTS))
    # A whole number or the word n.
    if len(kinds) > 1:
        return value_of(kinds[int(rng.integers(len(kinds)))], name, rng)
    return value_of(kinds[0], name, rng)


def made(arguments: list[str]) -> dict[str, Any]:
    """What a command is called with."""
    function, options = _parse(arguments).args  # type: ignore[attr-defined]
    caught: dict[str, Any] = {}

    def catching(**values: Any) -> int:
        caught.update(values)
        return 0

    # As `call` does it, but without running the command.
    catching.__signature__ = __import__("inspect").signature(function)  # type: ignore[attr-defined]
    catching.__annotations__ = function.__annotations__
    catching.__globals__.update(
        {key: value for key, value in function.__globals__.items() if key not in globals()}
    )
    catching.__doc__ = function.__doc__
    try:
        call(catching, options)
    except (ValueError, TypeError) as error:
        return {"refused": str(error)}
    return caught


@pytest.mark.parametrize("variant", VARIANTS)
def test_print_config_reads_back_as_itself(
    ornstein: Callable, tmp_path: Path, variant: str
) -> None:
    """Random option sets: the same study, or the same refusal, from the printed file."""
    command = VARIANTS[variant]
    function, _options = _parse(command).args  # type: ignore[attr-defined]
    rng = np.random.default_rng(sum(map(ord, variant)))
    for turn in range(ROUNDS):
        arguments = list(command)
        for index, option in enumerate(options_of(function)):
            its_turn = index % ROUNDS == turn
            if option.name in {"model", "config"} or (rng.random() < 0.6 and not its_turn):
                continue
            value = value_of(option.kind, option.name, rng)
            flag = f"--{option.name.replace('_', '-')}"
            arguments += [flag] if value is None else [f"{flag}={value}"]
        result = ornstein(*arguments, "--print_config")
        assert result.status == 0, (arguments, result.err)
        (tmp_path / "c.yaml").write_text(result.out)
        short = command[:1] if command[0] != "predict" else command
        again = [*short, "--config", str(tmp_path / "c.yaml")]
        assert made(arguments) == made(again), arguments
        assert ornstein(*again, "--print_config").out == result.out


@pytest.mark.usefixtures("without_figure")
@pytest.mark.parametrize("options", [("--dim", 5), ("--spectrum", "2,1"), ("--mean", "0,1")])
def test_print_config_has_what_the_study_has(
    ornstein: Callable, tmp_path: Path, options: tuple
) -> None:
    """What an option of null stands for is printed as config.yaml has it."""
    chosen = ("linear", *options, "--train-sizes", 9, "--simulations", 1)
    printed = load_settings(ornstein(*chosen, "--print_config").out)
    assert ornstein(*chosen, "--jobs", 1, "--out", "s").status == 0
    kept = load_settings((tmp_path / "s" / "config.yaml").read_text())
    shared = kept.keys() & printed.keys()
    assert {"dim", "mean", "std", "originals", "original_mode", "spectrum"} <= shared
    assert {name: printed[name] for name in shared} == {name: kept[name] for name in shared}


def test_no_command_is_left_out() -> None:
    of_paths = {"data", "status", "merge", "export", "report", "explore"}
    assert {command[0] for command in VARIANTS.values()} | of_paths == {*COMMANDS, "predict"}
    assert len(VARIANTS) * ROUNDS >= 90


@pytest.mark.parametrize("value", [*TEXTS, 3, 2.5, 1e300, True, None, "inf", ".inf", "1_000", "on"])
def test_what_is_written_reads_back(value: Any) -> None:
    again = load_settings(dump_settings({"key": value, "list": [value, value]}))
    assert again == {"key": value, "list": [value, value]}
    assert type(again["key"]) is type(value)


def test_yaml_is_read_as_version_1_2() -> None:
    text = "{a: 10:50:10, b: 010, c: 1e4, d: yes, e: 0x10, f: 1_000, g: 12:30, h: 2001-01-01}"
    assert load_settings(text) == {
        "a": "10:50:10",
        "b": 10,
        "c": 1e4,
        "d": "yes",
        "e": "0x10",
        "f": "1_000",
        "g": "12:30",
        "h": "2001-01-01",
    }


def test_the_documented_sizes_in_a_file(ornstein: Callable, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("train_sizes: 10:50:10\ndim: 010\n")
    found = made(["linear", "--config", str(tmp_path / "c.yaml")])["options"]
    assert (found.train_sizes, found.dim) == ((10, 20, 30, 40, 50), 10)
    assert "--dim: given '1:40'" in ornstein("linear", "--dim", "1:40").err


def test_bombs_are_refused(ornstein: Callable, tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)]
    for text, expected in (
        ("\n".join(lines), "the file has an alias"),
        ("[" * 5000 + "]" * 5000, "nested more than 8 levels deep"),
        ("a: {b: {c: {d: {e: {f: {g: {h: {i: 1}}}}}}}}", "nested more than 8 levels deep"),
    ):
        with pytest.raises(SettingsError, match=expected):
            load_settings(text)
        (tmp_path / "c.yaml").write_text(text)
        result = ornstein("linear", "--config", tmp_path / "c.yaml")
        assert result.status == 2
        assert result.err.count("\n") == 1


def test_whole_numbers_may_have_an_exponent(ornstein: Callable) -> None:
    assert integers("1e3,2e3:4e3:1e3", "train-sizes") == (1000, 2000, 3000, 4000)
    found = made(["linear", "--dim", "1e2", "--originals", "1e5"])["options"]
    assert (found.dim, found.originals) == (100, 100_000)
    for wrong in ("1e-3", "2.5", "1e400", "nan", "true"):
        result = ornstein("linear", f"--dim={wrong}")
        assert result.err == f"ornstein: error: --dim: given {wrong!r}, expected a whole number\n"
    with pytest.raises(UsageError):
        integers("1.5", "train-sizes")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("linear", "--dimm", 3), "--dimm is not an option: did you mean --dim?"),
        (("linear", "--trainsizes", 3), "did you mean --train-sizes?"),
        (("steps", "--model", "mlp", "--epoch", 3), "did you mean --epochs?"),
        (("lineer",), "'lineer' is not a command: did you mean linear?"),
        (("predict", "one-stp"), "'one-stp' is not a name: did you mean one-step?"),
        (("zzz",), "expected one of linear, unet"),
    ],
)
def test_what_is_misspelt_is_named(ornstein: Callable, arguments: tuple, expected: str) -> None:
    result = ornstein(*arguments)
    assert result.status == 2
    assert expected in result.err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("steps", "--model", "mlp", "--population", "power-law"), "--population is an option of"),
        (("steps", "--model", "mlp", "--dim", 10), "--dim is an option of --model linear"),
        (("steps", "--model=mlp", "--ridge=1"), "--ridge is an option of --model linear"),
        (("steps", "--epochs", 3), "--epochs is an option of --model unet"),
        (("steps", "--exponent", 2), "--exponent is 2 and population isotropic"),
        (
            ("linear", "--data", "digits", "--mean", 3),
            "--mean and --data are both given: --mean is of",
        ),
        (("linear", "--data", "digits", "--std", 3), "--std and --data are both given"),
        (("linear", "--data", "digits", "--weights", 1), "--weights and --data are both given"),
        (
            ("linear", "--data", "digits", "--original-mode", "sampled"),
            "--original-mode and --data",
        ),
        (
            ("unet", "--data", "digits", "--mean", 3),
            "--mean and --data are both given: --mean is of",
        ),
        (("unet", "--data", "digits", "--std", 3), "--std and --data are both given"),
    ],
)
def test_options_without_effect_are_refused(
    ornstein: Callable, arguments: tuple, expected: str
) -> None:
    result = ornstein(*arguments)
    assert (result.status, result.out) == (2, "")
    assert expected in result.err
    assert result.err.count("\n") == 1


def test_the_last_word_on_the_model_counts(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("model: unet\n")
    config = ["--config", str(tmp_path / "c.yaml")]
    assert given_option(["steps", *config], "model", "linear") == "unet"
    assert given_option(["steps", *config, "--model", "mlp"], "model", "linear") == "mlp"
    assert given_option(["steps"], "model", "linear") == "linear"


def test_help_says_what_is_each_options_own(ornstein: Callable) -> None:
    text = " ".join(ornstein("linear", "--help").out.split())
    assert text.startswith("usage: ornstein linear [--config CONFIG]")
    assert "--std STD standard deviation of a coordinate, > 0" in text
    assert "(one of expected, sampled)" in text
    assert "null" not in text
    text = " ".join(ornstein("steps", "--help").out.split())
    assert "--std STD root of the mean variance of a coordinate" in text
    text = " ".join(ornstein("steps", "--model", "mlp", "--help").out.split())
    assert "--epochs EPOCHS passes through the training images" in text
