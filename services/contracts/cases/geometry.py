"""Where a place is: GeoJSON (RFC 7946) in WGS 84, bounded.

Points, lines, polygons and their Multi forms; no collections, features, altitudes or foreign members.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from ..messages import Request

MOST_POSITIONS = 1000
"""Of one geometry: enough for a ward's boundary, and a bounded document."""


_Longitude = Annotated[float, Field(ge=-180, le=180)]
_Latitude = Annotated[float, Field(ge=-90, le=90)]
Position = tuple[_Longitude, _Latitude]
_Line = Annotated[tuple[Position, ...], Field(min_length=2, max_length=MOST_POSITIONS)]


def _closed(ring: tuple[Position, ...]) -> tuple[Position, ...]:
    """A ring ends where it begins (RFC 7946, 3.1.6)."""
    if ring[0] != ring[-1]:
        raise ValueError("the ring is not closed")
    return ring


_Ring = Annotated[
    tuple[Position, ...], Field(min_length=4, max_length=MOST_POSITIONS), AfterValidator(_closed)
]
_Rings = Annotated[tuple[_Ring, ...], Field(min_length=1, max_length=50)]


def _count(coordinates: Any) -> int:
    """How many positions there are in nested tuples."""
    if not coordinates or not isinstance(coordinates[0], tuple):
        return 1
    return sum(_count(part) for part in coordinates)


def _bounded(coordinates: Any) -> Any:
    if _count(coordinates) > MOST_POSITIONS:
        raise ValueError("too many positions")
    return coordinates


class Point(Request):
    type: Literal["Point"]
    coordinates: Position


class LineString(Request):
    type: Literal["LineString"]
    coordinates: _Line


class Polygon(Request):
    type: Literal["Polygon"]
    coordinates: Annotated[_Rings, AfterValidator(_bounded)]


class MultiPoint(Request):
    type: Literal["MultiPoint"]
    coordinates: Annotated[tuple[Position, ...], Field(min_length=1, max_length=MOST_POSITIONS)]


class MultiLineString(Request):
    type: Literal["MultiLineString"]
    coordinates: Annotated[tuple[_Line, ...], Field(min_length=1, max_length=100), AfterValidator(_bounded)]


class MultiPolygon(Request):
    type: Literal["MultiPolygon"]
    coordinates: Annotated[tuple[_Rings, ...], Field(min_length=1, max_length=100), AfterValidator(_bounded)]


GEOMETRIES: dict[str, type[Request]] = {
    "Point": Point,
    "LineString": LineString,
    "Polygon": Polygon,
    "MultiPoint": MultiPoint,
    "MultiLineString": MultiLineString,
    "MultiPolygon": MultiPolygon,
}
AnyGeometry = Point | LineString | Polygon | MultiPoint | MultiLineString | MultiPolygon
