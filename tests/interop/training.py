"""Whether two float32 trainings agree. Adam divides a gradient by its own size, so what rounding leaves of a gradient near
zero becomes a whole step, and how far two right implementations end up apart depends on the processor: PyTorch differs from
itself by 1.3e-2 of a gain vector's change between AVX-512 and AVX2. No fixed tolerance holds everywhere and still says much.

So the reference is trained in float64 too, and tern may be at most MULTIPLE times as far from that as PyTorch's own float32
is. The multiple allows for luck: PyTorch's median distance on AVX2 is 3.0 (gains) and 1.9 (LoRA) times that on AVX-512. On top
comes what float32 does to the values themselves, which each step rounds once (by half an ulp of the whole gain, where PyTorch
holds Gemma's less one). The worst tensor may also have one number whose first gradient is within rounding of zero, and whose
first step, of size `rate`, so goes the other way."""
import re
from collections import defaultdict
from dataclasses import dataclass
from statistics import median_low

import numpy

import reference

MULTIPLE = 4
HALF_ULP = 2.0**-24  # of a float32, relatively


@dataclass
class Training:
    """Values by PEFT's names."""

    initial: dict
    losses: list
    trained: dict
    rate: float

    def change(self, name):
        """The norm of what training did to a tensor."""
        return numpy.linalg.norm(self.trained[name] - self.initial[name])

    def rounding(self, name, offset):
        """How far rounding value + offset to float32 in each step moves it at most, relative to the change."""
        return len(self.losses) * HALF_ULP * numpy.linalg.norm(self.trained[name] + offset) / self.change(name)


def of_peft(tuned, windows, rate, initial=None):
    """Trains a PEFT model in the precision it has, from `initial` if given, and takes the adapter off again."""
    try:
        if initial is not None:
            reference.set_state(tuned, initial)
        before = reference.state(tuned)
        losses = reference.train(tuned, windows, rate)
        return Training(before, losses, reference.state(tuned), rate)
    finally:
        tuned.unload()


def in_both(attach, model, twin, windows, rate, initial=None):
    """PEFT's training in float32 and in float64 from the same values; attach(model) adds the adapter."""
    single = of_peft(attach(model), windows, rate, initial)
    with reference.Exact():
        double = of_peft(attach(twin), windows, rate, single.initial)
    return single, double


def distances(trained, double):
    """Of each tensor, relative to the change that training made: {kind of tensor: {name: distance}}."""
    kinds = defaultdict(dict)
    for name, value in double.trained.items():
        assert double.change(name) > 0, name
        kind = re.sub(r"layers\.\d+\.", "layers.*.", name)
        kinds[kind][name] = numpy.linalg.norm(trained[name].astype(numpy.float64) - value) / double.change(name)
    return kinds


def check(found, single, double, offset=0):
    """`found`: tern's losses and trained values, which it holds with `offset` added. The typical tensor of each kind (the median over layers), the worst of all
    tensors and the worst loss must not be MULTIPLE times as far from the float64 run as PyTorch's float32 run has them."""
    losses, trained = found
    expected = numpy.array(double.losses)
    assert expected[-5:].sum() < expected[:5].sum()
    assert len(losses) == len(expected)
    assert {n: v.shape for n, v in trained.items()} == {n: v.shape for n, v in double.trained.items()}

    ours, theirs = (numpy.abs(numpy.array(run) / expected - 1).max() for run in (losses, single.losses))
    print(f"losses {expected[0]:.4f} to {expected[-1]:.4f}, {ours:.1e} from float64, relatively; PyTorch's {theirs:.1e}")
    assert ours <= MULTIPLE * theirs + HALF_ULP

    tern, torch32 = distances(trained, double), distances(single.trained, double)
    for kind in tern:
        ours, theirs = (median_low(run[kind].values()) for run in (tern, torch32))
        print(f"{kind}: {ours:.1e} of its change from float64 in the median; PyTorch's {theirs:.1e}")
        rounding = max(double.rounding(name, offset) for name in tern[kind])
        assert ours <= MULTIPLE * theirs + rounding, kind
    ours, theirs = (max((d, n) for kind in run.values() for n, d in kind.items()) for run in (tern, torch32))
    print(f"worst: {ours[0]:.1e} ({ours[1]}); PyTorch's {theirs[0]:.1e} ({theirs[1]})")
    other_way = 2 * double.rate / double.change(ours[1])
    assert ours[0] <= max(MULTIPLE * theirs[0], other_way) + double.rounding(ours[1], offset), ours[1]
