"""What writes tokens: `Sealer` seals and cannot open, `Resealer` moves tokens to the primary key and hands out no value."""

from ._native import Resealer, Sealer

__all__ = ["Resealer", "Sealer"]
