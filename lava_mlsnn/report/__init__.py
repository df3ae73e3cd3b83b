"""What a run says about a network: one JSON-ready record, and the tables, pictures and pages made from it alone."""

from __future__ import annotations

from .chip import busiest_text, chip_picture
from .page import page
from .picture import picture
from .record import network_record, provenance, results
from .tables import checks_table, comparison_table, layers_table, terms_table

__all__ = [
    "busiest_text",
    "checks_table",
    "chip_picture",
    "comparison_table",
    "layers_table",
    "network_record",
    "page",
    "picture",
    "provenance",
    "results",
    "terms_table",
]
