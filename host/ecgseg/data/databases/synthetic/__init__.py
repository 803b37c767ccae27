"""Synthetic ECG with exact ground truth: rhythms and morphologies that a data set has too few of.

A quarter of the recordings comes from physiokit (`physiokit.ecg.synthesize`: sinus rhythm, bundle branch block,
hemiblocks, ST elevation and more, with its own segmentation). The rest comes from the generator here, for what the
library does not have: waves of compact support, so that onset and offset are exact; atrial fibrillation and flutter
without P waves, ectopic and paced beats, conduction blocks, ST deviation, rates from 30 to 200 a minute, lead-off gaps,
flat lines and clipping. Networks of streams learn from a second population, made by the package `stream`. Everything is
a function of the seed.

Intervals follow the usual ranges of adult 12-lead ECG (P. W. Macfarlane et al., Comprehensive Electrocardiology,
2nd ed., 2010); QT follows L. S. Fridericia's cube root (Acta Med. Scand. 53 (1920) 469-486).
"""

from ecgseg.data.databases.synthetic.database import SYNTHETIC
from ecgseg.data.databases.synthetic.noise import DISTURBANCES
from ecgseg.data.databases.synthetic.recordings import POPULATIONS, synthesise, synthetic_records
from ecgseg.data.databases.synthetic.rhythms import RHYTHMS
from ecgseg.data.databases.synthetic.sampling import RATE
from ecgseg.data.databases.synthetic.stream.recordings import noise_records
from ecgseg.data.databases.synthetic.waves import LEADS

__all__ = [
    "DISTURBANCES",
    "LEADS",
    "POPULATIONS",
    "RATE",
    "RHYTHMS",
    "SYNTHETIC",
    "noise_records",
    "synthesise",
    "synthetic_records",
]
