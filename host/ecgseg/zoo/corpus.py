"""The data of a training: which records it learns from and is chosen on, and the frames made of them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ecgseg.data.databases import ludb, qtdb
from ecgseg.data.databases.synthetic import noise_records, synthetic_records
from ecgseg.data.records import Record, excerpts
from ecgseg.errors import DataError
from ecgseg.pipeline import normalise_running
from ecgseg.zoo.configuration import ModelConfiguration
from ecgseg.zoo.dataset import FRAMES, BatchSource, Cutting, Float32, SignalBank, evaluation_frames
from ecgseg.zoo.named_databases import Share, named_databases
from ecgseg.zoo.recipe import qtdb_names

# The past that an answer of a stream depends on, as windows that follow one another have it.
_STREAM_CONTEXT = 500
_QTDB_BEFORE_S, _QTDB_AFTER_S = 10.0, 1.0


@dataclass(frozen=True)
class Corpus:
    """Records to train on and to choose on, the synthetic ones with their share, and what else there is."""

    training: tuple[Record, ...]
    validation: tuple[Record, ...]
    synthetic: tuple[Record, ...]
    synthetic_weight: float
    others: tuple[Share, ...] = ()

    @property
    def fingerprint(self) -> str:
        """Short hash of the training records, for names of folders; of all bytes where a user may change them."""
        others = [record for share in self.others for record in share.records]
        names = [f"{r.source} {r.record_id} {r.lead}" for r in (*self.training, *self.synthetic, *others)]
        digest = hashlib.sha256("\n".join(names).encode())
        if any(share.real for share in self.others):
            for record in (*others, *self.validation):
                digest.update(f"{record.label} {record.lead} {record.waves} {record.annotated}".encode())
                digest.update(record.samples.tobytes())
        return digest.hexdigest()[:8]

    @property
    def source(self) -> str:
        """What it is made of, for people."""
        if not self.patients:
            return f"synthetic ECG only ({len(self.synthetic)} leads): no LUDB was found or asked for"
        other = "".join(f", {100 * share.weight:.0f} % {share.name}" for share in self.others)
        share = f", {100 * self.synthetic_weight:.0f} % synthetic frames" if self.synthetic_weight else ""
        if not self.training:
            return f"{other.removeprefix(', ')}{share}; {len(self.validation)} leads to choose on"
        return f"LUDB: {len(self.training)} leads to train on, {len(self.validation)} to choose on{share}{other}"

    @property
    def patients(self) -> tuple[Record, ...]:
        """What is real of it: LUDB's records, or without them those of the databases that a configuration names."""
        return self.training or tuple(record for share in self.others if share.real for record in share.records)


def load_corpus(configuration: ModelConfiguration, ludb_option: str | Path | None = None) -> Corpus:
    """Reads what a configuration asks for; without LUDB (or with a synthetic weight of 1) synthetic ECG alone.

    Raises:
        DataError: QTDB or another database is asked for and not there, or a record cannot be read.
        UsageError: a database has no such set, record or lead.
    """
    data = configuration.data
    folder = ludb_for(configuration, ludb_option)
    if folder is None and not data.databases:
        count = data.synthetic_records
        fresh = _synthetic(configuration, max(4, count // 5), configuration.seed + 1)
        return Corpus((), fresh, _synthetic(configuration, count, configuration.seed), 1.0)
    if folder is None and data.needs_ludb:
        raise _ludb_is_missing(data.ludb_weight)
    count = data.synthetic_records if data.synthetic_weight else 0
    synthetic = _synthetic(configuration, count, configuration.seed)
    training, validation = _ludb(configuration, folder)
    shares, chosen_on = named_databases(configuration)
    others = (*_others(configuration), *shares)
    validation = (*validation, *_qtdb(data.qtdb_validation), *chosen_on)
    if not validation:
        raise DataError(
            f"There is nothing to choose {configuration.name} on.",
            "None of its databases has a validation set in the configuration.",
            "Give one of data.databases a `validation`.",
        )
    return Corpus(training, validation, synthetic, data.synthetic_weight, others)


def ludb_for(configuration: ModelConfiguration, ludb_option: str | Path | None) -> Path | None:
    """Folder of LUDB for a training that learns from it; None where it does not, or where there is none."""
    data = configuration.data
    return None if data.synthetic_weight == 1.0 or not data.needs_ludb else ludb.find_ludb(ludb_option)


def work_with(work: Path, configuration: ModelConfiguration, corpus: Corpus) -> Path:
    """Where the checkpoints of a training on a corpus are.

    Databases of the user's own are files that change without the configuration: nothing goes on from a checkpoint of
    other data.
    """
    return work.with_name(f"{work.name}-{corpus.fingerprint}") if configuration.data.databases else work


def _ludb(configuration: ModelConfiguration, folder: Path | None) -> tuple[tuple[Record, ...], tuple[Record, ...]]:
    """What is trained and chosen on of LUDB; nothing without a folder."""
    if folder is None:
        return (), ()
    data = configuration.data
    training = ludb.load_records(folder, data.training_records, data.leads)
    return tuple(training), tuple(ludb.load_records(folder, data.validation_records, data.leads))


def _synthetic(configuration: ModelConfiguration, count: int, seed: int) -> tuple[Record, ...]:
    """So many synthetic recordings of the configuration's kind."""
    data = configuration.data
    leads = data.leads[: data.synthetic_leads] if len(data.leads) < 12 else None
    kind: dict[str, Any] = {"population": data.synthetic_population, "duration_s": float(data.synthetic_seconds)}
    if data.synthetic_long_qt:
        kind["long_qt"] = data.synthetic_long_qt
    return tuple(synthetic_records(count, leads or data.synthetic_leads, seed, **kind)) if count else ()


def _ludb_is_missing(weight: float) -> DataError:
    return DataError(
        "This model needs LUDB.",
        f"Its configuration leaves {100 * weight:.0f} % of the frames to it.",
        "Run `invoke data` to download it, name a copy with --ludb, or let the weights in `data` be 1 together.",
    )


def _others(configuration: ModelConfiguration) -> tuple[Share, ...]:
    data = configuration.data
    others = []
    if data.qtdb_weight:
        others.append(Share("QTDB", _qtdb(data.qtdb_training), data.qtdb_weight, data.qtdb_border))
    if data.noise_weight:
        noise = noise_records(data.noise_records, configuration.seed, pulled=data.noise_pulled)
        others.append(Share("noise without beats", tuple(noise), data.noise_weight))
    return tuple(others)


def _qtdb(sets: tuple[str, ...]) -> tuple[Record, ...]:
    """The annotated parts of records of QTDB, with what a stream remembers in front of them."""
    if not sets:
        return ()
    folder = qtdb.find_qtdb()
    if folder is None:
        raise DataError(
            "This model needs QTDB.",
            "Its configuration asks for records of it (data.qtdb_training).",
            "Run `invoke data --database qtdb` to download it, or name a copy with ECGSEG_QTDB.",
        )
    records = qtdb.load_records(folder, qtdb_names(sets))
    return tuple(part for record in records for part in excerpts(record, _QTDB_BEFORE_S, _QTDB_AFTER_S))


def batches(configuration: ModelConfiguration, corpus: Corpus) -> BatchSource:
    """The stream of training batches of a configuration."""
    banks: list[tuple[SignalBank, float]] = []
    if corpus.training:
        rest = 1.0 - corpus.synthetic_weight - sum(share.weight for share in corpus.others)
        banks.append((SignalBank.of(corpus.training, configuration.classes), rest))
    if corpus.synthetic:
        border = configuration.data.synthetic_border
        banks.append((SignalBank.of(corpus.synthetic, configuration.classes, border), corpus.synthetic_weight))
    for share in corpus.others:
        banks.append((SignalBank.of(share.records, configuration.classes, share.border), share.weight))
    return BatchSource(
        tuple(banks),
        configuration.augmentation,
        configuration.preprocess(),
        configuration.schedule.batch,
        configuration.seed,
        cutting(configuration),
    )


def cutting(configuration: ModelConfiguration) -> Cutting:
    """What a model is trained and judged on: frames, or windows of a stream."""
    if not configuration.streams:
        return FRAMES
    return Cutting(configuration.frame_length, _STREAM_CONTEXT, normalise_running)


def undisturbed(configuration: ModelConfiguration, records: Sequence[Record]) -> tuple[Float32, npt.NDArray[np.int32]]:
    """Records as the device cuts them: model input float32 [frames, length, 1], labels int32 [frames, length]."""
    bank = SignalBank.of(records, configuration.classes)
    return evaluation_frames(bank, configuration.preprocess(), cutting(configuration))


def calibration_frames(configuration: ModelConfiguration, corpus: Corpus) -> npt.NDArray[np.float32]:
    """Undisturbed frames of the training records, drawn by the seed: float32 [frames, length, 1]."""
    frames, _ = undisturbed(configuration, corpus.patients or corpus.synthetic)
    rng = np.random.default_rng([configuration.seed, 1])
    count = min(configuration.quantisation.calibration_frames, len(frames))
    return frames[rng.permutation(len(frames))[:count]]
