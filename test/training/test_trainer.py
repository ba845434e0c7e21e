# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Resuming, the best weights, precisions and the progress line of the trainer."""

import io
import itertools
import resource
import signal
import threading

import numpy as np
import pytest
import torch
from labelled import small_yolo
from rich.console import Console
from torch import nn

from sc2_ros.errors import CheckpointError, ParameterError
from sc2_ros.training.augment import AugmentConfig
from sc2_ros.training.batches import Batch, Source, SourceConfig, stream_batches
from sc2_ros.training.progress import Reporter
from sc2_ros.training.trainer import Trainer, TrainerConfig
from sc2_ros.training.validation import validation_loss

STEPS = 6


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def _model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 1, 1))


def _loss(model: nn.Module, batch: torch.Tensor) -> tuple[torch.Tensor, dict[str, float]]:
    noisy = batch + torch.randn_like(batch)  # a loss with randomness of its own
    value = (model(noisy).float() - 1).square().mean()
    return value, {"loss": float(value.detach())}


def _batches(start: int = 0, stop: int | None = None):
    """Batch n is a function of n; where a stop is given the power fails there."""
    for number in itertools.count(start):
        if number == stop:
            raise KeyboardInterrupt
        yield torch.randn(2, 3, 10, 10, generator=torch.Generator().manual_seed(number))


def _trainer(folder, optimizer: str = "muon", **more: object) -> Trainer:
    config = TrainerConfig(max_steps=STEPS, optimizer=optimizer, save_every_s=0.0, **more)
    return Trainer(_model(), _loss, config, folder)


def _same(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
def test_a_broken_run_ends_in_the_same_weights_as_an_unbroken_one(tmp_path, optimizer):
    unbroken = _trainer(tmp_path / "a", optimizer)
    unbroken.run(_batches())
    with pytest.raises(KeyboardInterrupt):
        _trainer(tmp_path / "b", optimizer).run(_batches(stop=3))

    resumed = _trainer(tmp_path / "b", optimizer)
    torch.manual_seed(99)  # whatever a new process starts with
    resumed.resume()
    assert resumed.step == 3
    resumed.run(_batches(start=resumed.step))

    assert _same(resumed.model, unbroken.model)
    assert _same(resumed.ema, unbroken.ema)
    again = _trainer(tmp_path / "c", optimizer)
    again.run(_batches())
    other = _trainer(tmp_path / "d", optimizer, seed=1)
    other.run(_batches())
    assert _same(again.model, unbroken.model)
    assert not _same(other.model, unbroken.model)


def test_a_full_disk_leaves_the_state_before_and_no_halves(tmp_path):
    trainer = _trainer(tmp_path)
    trainer.save()
    before = (tmp_path / "last.pt").read_bytes()
    (tmp_path / "last.pt.7.part").write_bytes(b"of a process that was killed")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, limits[1]))
    try:
        with pytest.raises(CheckpointError, match=r"last.pt cannot be written"):
            trainer.save()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [file.name for file in tmp_path.glob("*.p*t*")] == ["last.pt"]
    assert (tmp_path / "last.pt").read_bytes() == before


@pytest.mark.parametrize("seen", ["in the middle of a step", "while it waits for a batch"])
def test_ctrl_c_saves_whole_steps_and_says_how_to_go_on(tmp_path, capsys, seen):
    """Hours were lost where the last three minutes are all that there is."""
    unbroken = _trainer(tmp_path / "a")
    unbroken.run(_batches())
    calls = itertools.count(1)

    def loss(model: nn.Module, batch: torch.Tensor) -> tuple[torch.Tensor, dict[str, float]]:
        value = _loss(model, batch)
        if next(calls) == 3 and seen == "in the middle of a step":
            signal.raise_signal(signal.SIGINT)
        return value

    config = TrainerConfig(max_steps=STEPS, save_every_s=1000)
    broken = Trainer(_model(), loss, config, tmp_path / "b")
    with pytest.raises(KeyboardInterrupt):
        broken.run(_batches(stop=3))
    assert "stopped at step 3" in (said := capsys.readouterr().out)
    assert "--resume" in said

    resumed = _trainer(tmp_path / "b")
    resumed.resume()
    resumed.run(_batches(start=resumed.step))
    assert _same(resumed.model, unbroken.model)
    assert _same(resumed.ema, unbroken.ema)


def test_a_new_run_is_not_taken_for_the_old_one(tmp_path, capsys):
    """Killed before it saved, it has nothing to resume; the old run's file is still there."""
    _trainer(tmp_path).run(_batches())
    old = (tmp_path / "last.pt").read_bytes()
    config = TrainerConfig(max_steps=STEPS, save_every_s=1000)

    with pytest.raises(ZeroDivisionError):
        Trainer(_model(), _loss, config, tmp_path).run(1 / 0 for _ in "x")

    with pytest.raises(CheckpointError, match="nothing to resume"):
        _trainer(tmp_path).resume()
    assert (tmp_path / "last.old.pt").read_bytes() == old
    assert "last.old.pt" in capsys.readouterr().out


def test_batches_go_on_where_they_stood(tmp_path):
    data = small_yolo(tmp_path / "data")
    source = Source(SourceConfig(str(data), 2), AugmentConfig(crop=64))
    whole = list(itertools.islice(stream_batches([source], 5, 64), 4))
    later = list(itertools.islice(stream_batches([source], 5, 64, workers=2, start=2), 2))
    other = next(stream_batches([source], 5, 64, rank=1))

    assert [torch.equal(a.image, b.image) for a, b in zip(whole[2:], later, strict=True)] == [
        True,
        True,
    ]
    assert np.array_equal(whole[2].targets[0].heat, later[0].targets[0].heat)
    assert not torch.equal(whole[0].image, other.image)


def test_no_thread_outlives_its_batches():
    """A process that ends while one draws in C++ is aborted (and under torchrun all others)."""
    before = threading.active_count()
    source = Source(SourceConfig("synthetic:1", 1), AugmentConfig(crop=64))
    batches = stream_batches([source], 5, 64, workers=3)
    next(batches)
    assert threading.active_count() == before + 3

    batches.close()

    assert threading.active_count() == before


def test_the_best_weights_are_kept(tmp_path):
    seen: list[tuple[int, torch.Tensor]] = []
    scores = iter([0.1, 0.5, 0.3])

    def validate(model: nn.Module) -> dict[str, float]:
        seen.append((trainer.step, model[0].weight.clone()))
        return {"score": next(scores)}

    config = TrainerConfig(max_steps=STEPS, validate_every=1 / 3)
    trainer = Trainer(_model(), _loss, config, tmp_path, validate=validate)
    trainer.run(_batches())

    assert [step for step, _ in seen] == [2, 4, 6]
    assert trainer.best == {"score": 0.5, "step": 4.0}
    assert torch.equal(trainer.best_model()[0].weight, seen[1][1])
    assert torch.equal(trainer.ema[0].weight, seen[2][1])
    resumed = Trainer(_model(), _loss, config, tmp_path, validate=validate)
    resumed.resume()
    assert torch.equal(resumed.best_model()[0].weight, seen[1][1])


@pytest.mark.parametrize("stop", [1, 3, 5])
def test_a_broken_run_validates_where_an_unbroken_one_does(tmp_path, stop):
    """Else it keeps the weights of other steps as the best."""
    steps: list[int] = []
    config = TrainerConfig(max_steps=STEPS, validate_every=1 / 3)

    def trainer() -> Trainer:
        def validate(model: nn.Module) -> dict[str, float]:
            steps.append(made.step)
            return {"score": 0.0}

        made = Trainer(_model(), _loss, config, tmp_path, validate=validate)
        return made

    with pytest.raises(KeyboardInterrupt):
        trainer().run(_batches(stop=stop))
    resumed = trainer()
    resumed.resume()
    resumed.run(_batches(start=resumed.step))

    assert steps == [2, 4, 6]

    # A file of before this was saved is gone on from all the same.
    state = torch.load(tmp_path / "last.pt", weights_only=True)
    del state["validated"]
    torch.save(state, tmp_path / "last.pt")
    trainer().resume()


def test_validations_that_nobody_makes_are_refused(tmp_path):
    with pytest.raises(ParameterError, match=r"validate_every is 0.1, but this recipe does not"):
        _trainer(tmp_path, validate_every=0.1)


def test_without_warmup_the_first_step_has_the_whole_rate(tmp_path):
    rates = []
    for warmup in (0.0, 0.5):
        trainer = _trainer(tmp_path, warmup=warmup)
        with pytest.raises(KeyboardInterrupt):
            trainer.run(_batches(stop=1))
        rates.append(trainer.optimizers[0].param_groups[0]["lr"])

    assert rates[0] == pytest.approx(TrainerConfig().lr)
    assert rates[1] < 0.01 * rates[0]


def test_without_validation_the_last_average_is_the_best(tmp_path):
    trainer = _trainer(tmp_path)
    trainer.run(_batches())

    assert trainer.best_model() is trainer.ema
    assert not (tmp_path / "best.pt").exists()


def test_validation_asks_the_same_questions_of_the_val_split(tmp_path):
    data = small_yolo(tmp_path / "data")
    names: set[str] = set()

    def loss(model: nn.Module, batch: Batch) -> tuple[torch.Tensor, dict[str, float]]:
        return _loss(model, batch.image)

    validate = validation_loss(
        [SourceConfig(str(data), 2)],
        AugmentConfig(crop=64),
        loss,
        prepare=lambda source: names.update(sample.name for sample in source.samples),
    )
    model = _model().eval()
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first, again = validate(model), validate(model)
    model[3].bias.data += 1

    assert names == {"f5.png"}
    assert first == again
    assert validate(model)["score"] != first["score"] < 0
    assert torch.equal(torch.rand(3), expected)  # training goes on as if nobody had asked


@pytest.mark.parametrize("precision", ["auto", "bf16", "fp16", "fp32"])
def test_every_precision_learns(tmp_path, precision):
    config = TrainerConfig(max_steps=30, lr=0.02, precision=precision, warmup=0.1)
    losses: list[float] = []

    def loss(model: nn.Module, batch: torch.Tensor) -> tuple[torch.Tensor, dict[str, float]]:
        value, parts = _loss(model, batch)
        losses.append(parts["loss"])
        return value, parts

    trainer = Trainer(_model(), loss, config, tmp_path)
    trainer.run(_batches())

    assert all(p.dtype == torch.float32 for p in trainer.model.parameters())
    assert np.mean(losses[-5:]) < 0.7 * np.mean(losses[:5])


def test_a_cpu_that_would_emulate_bf16_trains_in_fp32(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True}, raising=False)
    seen = set()
    multiply = torch.Tensor.__matmul__

    def watched(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        seen.add(a.dtype)
        return multiply(a, b)

    monkeypatch.setattr(torch.Tensor, "__matmul__", watched)  # as Muon multiplies
    trainer = _trainer(tmp_path)
    trainer.run(_batches())

    assert trainer.dtype == torch.float32
    assert seen == {torch.float32}


def test_what_cannot_be_is_said(tmp_path):
    with pytest.raises(ParameterError, match=r"precision 'int8'.*bf16"):
        _trainer(tmp_path, precision="int8")
    with pytest.raises(ParameterError, match=r"optimizer 'sgd'.*muon"):
        _trainer(tmp_path, optimizer="sgd")
    with pytest.raises(CheckpointError, match="nothing to resume"):
        _trainer(tmp_path).resume()


DAMAGED = {
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:1000]),
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("step: 3\n"),
    "list": lambda path: torch.save([1, 2], path),
    "other state": lambda path: torch.save({"model": 3}, path),
    "other network": lambda path: Trainer(
        nn.Linear(2, 2), _loss, TrainerConfig(), path.parent
    ).save(),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_file_that_does_not_fit_is_one_sentence(tmp_path, kind):
    _trainer(tmp_path).save()
    DAMAGED[kind](tmp_path / "last.pt")

    with pytest.raises(CheckpointError, match="is damaged or of another recipe or shape") as seen:
        _trainer(tmp_path).resume()

    assert "\n" not in str(seen.value)


def test_progress_is_a_line_in_a_file_and_a_bar_on_a_terminal():
    log, screen = io.StringIO(), io.StringIO()
    with Reporter(Console(file=log)) as reporter:
        reporter.show(30, 0.25, 2.0, {"heat": 0.5})
    with Reporter(Console(file=screen, force_terminal=True, width=120)) as reporter:
        reporter.show(30, 0.25, 2.0, {"heat": 0.5})

    assert log.getvalue() == "step 30  25.0% 0.25/s left 6 min  heat 0.5000\n"
    assert "━" in screen.getvalue()
    assert "left 6 min" in screen.getvalue()
