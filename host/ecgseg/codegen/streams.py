"""Which layers are streamed into each other: those with which the arena gets smaller.

A group of neighbouring layers is computed a few rows at a time. That saves memory twice: of a tensor between two of its
layers only a few rows exist, and the group's result may grow into the memory of its input, whose rows are given up as
they are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from ecgseg.codegen.kernels import Kernel
from ecgseg.codegen.rows import Part, RowView, row_view, steps

# Rows of the last layer in a step: with fewer there is little less to keep and much more to call (docs/performance.md).
ROWS = 16
LONGEST = 6
# A group has to earn its calls.
_LEAST_GAIN = 64
# Sets of groups that are kept while others are tried, and how many are tried in all, times the square of the layers: a
# placement takes about that long, and rendering is not to take minutes.
_WIDTH = 6
_EFFORT = 2_000_000


@dataclass(frozen=True, eq=False)
class Group:
    """Layers `first` to `last` of the program, streamed into each other; `views` along their rows, in that order."""

    first: int
    last: int
    views: tuple[RowView, ...]

    @cached_property
    def steps(self) -> tuple[list[Part], ...]:
        """What is computed, in order."""
        return tuple(steps([view.axis for view in self.views], ROWS))

    @cached_property
    def held_rows(self) -> tuple[int, ...]:
        """Per layer, the most rows of its output that exist at once."""
        most = [0] * len(self.views)
        for step in self.steps:
            for part in step:
                most[part.position] = max(most[part.position], part.end - part.held_from)
        return tuple(most)

    @cached_property
    def _clearances(self) -> dict[tuple[int, int, bool], int]:
        return {}

    def clearance(self, position: int, operand: int, *, in_place: bool) -> int:
        """How far above the group's result an operand must start, so that it is read before it is replaced.

        Args:
            position: of the layer in the group.
            operand: of the layer's kernel.
            in_place: the kernel goes through memory in order and reads every byte of it before it writes that byte;
                only for the last layer.
        """
        asked = (position, operand, in_place)
        if asked not in self._clearances:
            self._clearances[asked] = self._find_clearance(position, operand, in_place)
        return self._clearances[asked]

    def _find_clearance(self, position: int, operand: int, in_place: bool) -> int:
        row_bytes = self.views[position].operand_row_bytes[operand]
        target, last = self.views[-1].row_bytes, len(self.views) - 1
        needed, written = -(1 << 30), 0
        for step in self.steps:
            for part in step:
                if part.position == last and not (position == last and in_place):
                    # Its kernel may write its first rows before it has read its last ones.
                    written = part.end * target
                if part.position == position:
                    lowest = 0 if row_bytes == 0 else part.reads_from * row_bytes
                    needed = max(needed, written - lowest)
                if part.position == last:
                    written = part.end * target
        return needed


def find_groups(
    kernels: Sequence[Kernel],
    feeds_only: Callable[[int, int], bool],
    storage: Callable[[int], int],
) -> list[Group]:
    """Every run of layers that could be streamed.

    Args:
        kernels: of the program, in order.
        feeds_only: whether layer i's output is read by layer j and by nothing else.
        storage: the tensor in whose memory a tensor lies.
    """
    groups = []
    for first, kernel in enumerate(kernels):
        view = row_view(kernel)
        views = [] if view is None else [view]
        while views:
            last = first + len(views) - 1
            groups.append(Group(first, last, tuple(views)))
            following = _following(kernels, last, views[-1], storage) if len(views) < LONGEST else None
            if following is None or not feeds_only(last, last + 1):
                break
            views.append(following)
    return groups


def _following(kernels: Sequence[Kernel], index: int, view: RowView, storage: Callable[[int], int]) -> RowView | None:
    """The view of the layer after `index`, if it reads that one's output row by row."""
    if index + 1 == len(kernels):
        return None
    kernel, source = kernels[index + 1], storage(kernels[index].layer.output)
    following = row_view(kernel, view.axis.out_rows)
    if following is None:
        return None
    streamed = [
        row_bytes
        for operand, row_bytes in zip(kernel.operands, following.operand_row_bytes, strict=True)
        if operand.tensor is not None and storage(operand.tensor) == source
    ]
    return following if streamed and all(row_bytes == view.row_bytes for row_bytes in streamed) else None


@dataclass(frozen=True)
class Use:
    """What a placement needs.

    Attributes:
        bytes: of the arena, at each layer.
        around_peak: first and last layer at which something is alive that is alive where most is needed.
    """

    bytes: tuple[int, ...]
    around_peak: tuple[int, int]

    @property
    def most(self) -> int:
        """Bytes of the arena."""
        return max(self.bytes)

    @property
    def order(self) -> list[int]:
        """The highest first: the less, the better."""
        return sorted(self.bytes, reverse=True)


Selection = Callable[[Sequence[Group], Callable[[Sequence[Group]], Use]], tuple[Group, ...]]


def choose(candidates: Sequence[Group], use: Callable[[Sequence[Group]], Use]) -> tuple[Group, ...]:
    """The groups that make the arena smallest, none when little is gained.

    Adds a group at a time, keeps the few sets with the lowest peaks, and goes on as long as that lowers them. Then
    leaves out layers that hardly help.

    Args:
        candidates: from :func:`find_groups`.
        use: what the placement with these groups needs.
    """
    whole = use(())
    left = _EFFORT // len(whole.bytes) ** 2
    best: tuple[Use, tuple[Group, ...]] = (whole, ())
    kept, seen = [best], set()
    while kept:
        trials = []
        for current, chosen in kept:
            for together in _one_more(candidates, chosen, current.around_peak):
                name = tuple((group.first, group.last) for group in together)
                if name not in seen and left > 0:
                    seen.add(name)
                    left -= 1
                    trials.append((use(together), together))
        kept = sorted(trials, key=lambda trial: (trial[0].order, len(trial[1])))[:_WIDTH]
        if not kept or kept[0][0].order >= best[0].order:
            break
        best = kept[0]
    chosen = _prune(candidates, best[1], use)
    return chosen if use(chosen).most <= whole.most - _LEAST_GAIN else ()


def _one_more(
    candidates: Sequence[Group], chosen: Sequence[Group], around_peak: tuple[int, int]
) -> Iterator[tuple[Group, ...]]:
    """The chosen groups with one more that could lower the peak, in place of those it overlaps."""
    for group in candidates:
        if group.first <= around_peak[1] and around_peak[0] <= group.last:
            yield _in_order([*(other for other in chosen if not _overlap(group, other)), group])


def _prune(
    candidates: Sequence[Group], chosen: tuple[Group, ...], use: Callable[[Sequence[Group]], Use]
) -> tuple[Group, ...]:
    """Leaves out groups, or a group's first or last layers, as long as the arena grows by less than a hundredth."""
    limit = use(chosen).most * 101 // 100
    for group in chosen:
        others = tuple(other for other in chosen if other is not group)
        parts = [part for part in candidates if group.first <= part.first and part.last <= group.last]
        smaller = [(), *((part,) for part in sorted(parts, key=lambda part: (part.last - part.first, part.first)))]
        chosen = next(together for part in smaller if use(together := _in_order((*others, *part))).most <= limit)
    return chosen


def _in_order(groups: Iterable[Group]) -> tuple[Group, ...]:
    return tuple(sorted(groups, key=lambda group: group.first))


def _overlap(one: Group, other: Group) -> bool:
    return one.first <= other.last and other.first <= one.last
