"""Query parameters, parsed strictly: unknown and repeated ones are errors."""

from collections import Counter

from pydantic import BaseModel, ValidationError
from starlette.datastructures import QueryParams

from api.http.body import names
from api.http.problems import MAX_ERRORS, InputError, InvalidInput


def query_parameters(query_string: bytes, model: type[BaseModel]) -> BaseModel:
    """The parameters in a query string, validated by their model. Raises `InvalidInput`."""
    known = list(model.model_fields)
    # With more than this, there are already more errors than are reported.
    fields = [field for field in query_string.split(b"&") if field][: len(known) + MAX_ERRORS + 1]
    items = QueryParams(b"&".join(fields)).multi_items()
    times = Counter(name for name, _ in items)
    errors: list[InputError] = []
    for name, number in times.items():
        if name not in known:
            errors.append({"detail": f"An unknown parameter; known are: {names(known)}."})
        elif number > 1:
            errors.append({"detail": "Given more than once.", "parameter": name})
    if errors:
        raise InvalidInput(errors)
    try:
        return model.model_validate(dict(items))
    except ValidationError as error:
        raise InvalidInput(
            [
                {"detail": f"{failure['msg']}.", "parameter": str(failure["loc"][0])}
                for failure in error.errors(include_url=False, include_input=False)
            ]
        ) from None
