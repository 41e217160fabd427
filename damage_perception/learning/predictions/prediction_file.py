"""Predictions as a JSON Lines file, with masks beside it in folders that bear its name.

One line an image: `image_id`, `score` (P(item damaged), null = UNKNOWN), and, where there are
some, `missed`, `types`, `damages`, `mask_file` (labels like `damage/mask`), `confidence_file`
(16-bit P(damage), 65535 = not judged), `reason`, `detector` (SHA-256 of the weights, or `geometry`
and a version), `raw_score` (what the score was made from). Who compares with references says of
each image in `references` how many could be used, and in `compared` whether one fitted the item.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from damage_perception.errors import UserError
from damage_perception.learning.images import write_image
from damage_perception.learning.predictions.prediction import CONFIDENT, PredictedDamage, Prediction
from damage_perception.learning.readers.checks import inside
from damage_perception.report import DamageType, Severity

TYPES = {kind.name.lower(): kind for kind in DamageType}
SEVERITIES = {severity.name.lower(): severity for severity in Severity}


def write_predictions(
    path: Path, predictions: Iterable[tuple[int | str, Prediction]]
) -> Iterator[tuple[int | str, Prediction]]:
    """Write predictions line by line as they come, and pass them on without their arrays.

    The file bears its name once it is whole, so that nobody takes half of it for all.

    Raises:
        UserError: if a file cannot be written.
    """
    part = path.with_name(f'{path.name}.part')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open('w', encoding='utf-8') as file:
            for number, (image_id, prediction) in enumerate(predictions):
                line = _line(path, number, image_id, prediction)
                file.write(json.dumps(line) + '\n')
                yield image_id, _parse(line, path)
        part.replace(path)
    except OSError as error:
        raise UserError(f'{path} cannot be written ({error.strerror})') from None
    finally:
        part.unlink(missing_ok=True)


def read_predictions(path: Path) -> dict[int | str, Prediction]:
    """Read predictions by image id.

    Raises:
        UserError: naming the file and line that cannot be used.
    """
    found: dict[int | str, Prediction] = {}
    try:
        lines = path.read_text(encoding='utf-8-sig').split('\n')  # texts may hold other breaks
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f'{path} cannot be read as predictions ({error})') from None
    for number, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        where = f'{path}, line {number}'
        try:
            line = json.loads(text)
        except (ValueError, RecursionError):
            raise UserError(f'{where}: not whole JSON; make the predictions again') from None
        if not isinstance(line, dict) or type(line.get('image_id')) not in (int, str):
            raise UserError(f'{where}: image_id must be a whole number or text')
        if line['image_id'] in found:
            raise UserError(f'{where}: image {line["image_id"]} comes twice; keep one line of it')
        try:
            found[line['image_id']] = _parse(line, path)
        except KeyError as error:
            raise UserError(f'{where}: {error} is missing') from None
        except (TypeError, ValueError, OverflowError) as error:
            raise UserError(f'{where}: {error}') from None
    return found


def _line(path: Path, number: int, image_id: int | str, said: Prediction) -> dict[str, Any]:
    line: dict[str, Any] = {'image_id': image_id, 'score': _number(said.score)}
    if said.missed:
        line['missed'] = True
    if said.types:
        line['types'] = {name: _number(value) for name, value in said.types.items()}
    if said.damages:
        line['damages'] = [_damage_line(damage) for damage in said.damages]
    labels, confidence = said.read_labels(), said.read_confidence()
    if labels is not None:
        line['mask_file'] = f'{path.stem}_masks/{number:06d}.png'
        write_image(path.parent / line['mask_file'], labels)
    if confidence is not None:
        line['confidence_file'] = f'{path.stem}_confidence/{number:06d}.png'
        level = np.where(np.isnan(confidence), 65535, np.nan_to_num(confidence) * CONFIDENT)
        write_image(path.parent / line['confidence_file'], np.rint(level).astype(np.uint16))
    if said.reason:
        line['reason'] = said.reason
    if said.detector:
        line['detector'] = said.detector
    if math.isfinite(said.raw):
        line['raw_score'] = _number(said.raw)
    if said.references is not None:
        line |= {'references': said.references, 'compared': said.compared}
    return line


def _damage_line(damage: PredictedDamage) -> dict[str, Any]:
    return {
        'type': damage.damage_type.name.lower(),
        'severity': damage.severity.name.lower(),
        'confidence': _number(damage.confidence),
        'bbox': [float(value) for value in damage.box],
        'depth_mm': _number(damage.depth_m * 1000.0),
    }


def _parse(line: dict[str, Any], path: Path) -> Prediction:
    score = line['score']
    if score is None:
        score = math.nan
    if type(score) not in (int, float) or not (math.isnan(score) or 0.0 <= score <= 1.0):
        raise ValueError(f'score must lie in [0, 1] or be null (UNKNOWN), got {score!r:.40}')
    types = line.get('types') or {}
    known = isinstance(types, dict) and set(types) <= set(TYPES)
    if not known or not all(type(value) in (int, float) for value in types.values()):
        raise ValueError(
            f'types must hold only {", ".join(TYPES)}, with numbers, got {types!r:.80}'
        )
    return Prediction(
        score=float(score),
        missed=bool(line.get('missed', False)),
        types={name: float(value) for name, value in types.items()},
        damages=tuple(_damage(damage) for damage in _list(line.get('damages'), 'damages')),
        labels=_file(line.get('mask_file'), path),
        confidence=_file(line.get('confidence_file'), path),
        reason=str(line.get('reason') or ''),
        detector=str(line.get('detector') or ''),
        raw=_raw(line.get('raw_score')),
        references=_count(line.get('references')),
        compared=bool(line.get('compared', False)),
    )


def _list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, (list, type(None))):
        raise ValueError(f'{name} must be a list, got {value!r:.40}')
    return value or []


def _damage(line: Any) -> PredictedDamage:
    if not isinstance(line, dict):
        raise ValueError(f'a damage must have a type, confidence and bbox, got {line!r:.40}')
    box = _list(line['bbox'], 'bbox')
    if len(box) != 4:
        raise ValueError(f'bbox must be x, y, width, height, got {box!r:.40}')
    x, y, width, height = (float(value) for value in box)
    depth = line.get('depth_mm')
    if line['type'] not in TYPES:
        raise ValueError(f'a damage type must be one of {", ".join(TYPES)}, got {line["type"]!r}')
    return PredictedDamage(
        TYPES[line['type']],
        SEVERITIES.get(str(line.get('severity')), Severity.UNKNOWN),
        float(line['confidence']),
        (x, y, width, height),
        math.nan if depth is None else float(depth) / 1000.0,
    )


def _file(name: Any, path: Path) -> Path | None:
    return None if name is None else inside(path.parent, name, path)


def _raw(value: Any) -> float:
    if value is None:
        return math.nan
    if type(value) not in (int, float) or not math.isfinite(value):
        raise ValueError(f'raw_score must be a number or be left out, got {value!r:.40}')
    return float(value)


def _count(value: Any) -> int | None:
    if value is not None and (type(value) is not int or value < 0):
        raise ValueError(f'references must be a count or be left out, got {value!r:.40}')
    return value


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(f'{value:.7g}')
