"""The tables of a program: what their columns hold, and the names of the kernels."""

from __future__ import annotations

from enum import IntEnum

FIRE, PASS, INTEGRATE, LEAKY, ENCODE, DECODE_ENCODE, DECODE, SOFT, RESCALE, STAIRS, FIRE_ONCE = range(11)
"""Kernels of neurons; :mod:`~lava_mlsnn.sim.dynamics` has their equations."""

CHUNK = 2048
"""Neurons updated before their spikes are collected: what they sent is then still in the first cache."""

BEYOND = 64
"""So many elements after a stretch of neurons are read, and ignored, when their spikes are collected."""


class Node(IntEnum):
    """Columns of the node table."""

    KERNEL = 0
    CHANNELS = 1
    SITES = 2
    SIZE = 3
    DEPTH = 4
    GATED = 5
    FIRST_CONNECTION = 6
    END_CONNECTION = 7
    STATE = 8  # in work: the state's arrays
    STATES = 21  # how many
    STATE_SIZE = 29  # and how far apart: SIZE, or a chunk where no state outlives the step
    SLOTS = 9  # ring length
    FIRST_SLOT = 10
    EVENTS = 11  # in work: the first slot's list; each is SITES + 1 + 2 SIZE long
    PER_SITE = 12  # whether parameters are given for every neuron rather than every channel
    BIAS = 13  # in constants
    THRESHOLD = 14  # in constants
    CEILING = 15  # in constants: levels * threshold
    INVERSE = 16  # in floats: 1 / threshold
    A = 17  # scalars of the kernel
    B = 18
    C = 19
    D = 20
    SCALE = 22  # in constants: as many rows of channels as steps that differ
    SCALES = 23
    SHIFT = 24
    OFFSET = 25
    OFFSETS = 26
    COLUMNS = 27  # thresholds of a neuron: one per step (FIRE) or one per level (STAIRS)
    STRIDE = 28  # from one column of thresholds to the next, in constants and in floats


class Link(IntEnum):
    """Columns of the connection table."""

    KERNEL = 0
    FIRST_SOURCE = 1
    END_SOURCE = 2
    WIDE = 3  # whether weights are int32
    WEIGHT = 4  # in weights or wide_weights
    ROW = 5  # weights per row
    EXPONENT = 6
    BITS = 7  # that the current wraps to
    COUNTED = 8  # whether overflows are reported
    FLAT = 9
    CHANNELS = 10  # of the sources
    HEIGHT = 11
    WIDTH = 12
    OUT_CHANNELS = 13
    OUT_WIDTH = 14
    KERNEL_WIDTH = 15
    IN_GROUP = 16  # input channels of a group
    OUT_GROUP = 17
    ROWS_FIRST = 18  # in constants: the tables
    ROWS_TAP = 19
    ROWS_OUT = 20
    COLUMNS_FIRST = 21
    COLUMNS_TAP = 22
    COLUMNS_LENGTH = 23
    COLUMNS_OUT = 24
    DENSE = 25  # whether the dense path can do it; what follows is for that path
    OUT_HEIGHT = 26
    STRIDE_ROWS = 27
    STRIDE_COLUMNS = 28
    PADDING_ROWS = 29
    PADDING_COLUMNS = 30
    DILATION_ROWS = 31
    DILATION_COLUMNS = 32
    PADDED_HEIGHT = 33
    PADDED_WIDTH = 34
    KERNEL_HEIGHT = 35
    ORDER = 36  # in constants: position of every column of the kernel
    LATE = 37  # in constants: delays of a synapse that has some
    LATES = 38  # how many, else 0


class Place(IntEnum):
    """What all layers share in a worker's memory."""

    CURRENT = 0  # sum of all synapses; zero between layers
    SCRATCH = 1  # accumulator of one synapse; zero between synapses
    MERGED = 2  # dense sum of several sources; zero between connections
    MERGED_EVENTS = 3  # its event list
    SPIKES = 4  # what a chunk of neurons sends, dense


class Slot(IntEnum):
    """Columns of the slot table: what is known of an event list."""

    COUNT = 0
    MAX = 1
    MIN = 2
    SUM = 3
