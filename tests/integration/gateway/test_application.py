# SPDX-License-Identifier: Apache-2.0
"""What holds for every route: a declared access, a place in the OpenAPI document, one form of error."""

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.routing import Route

from stoken.domain.codes import Role
from stoken.gateway.access import Anybody, Requires, access_of, every_route
from stoken.gateway.routes import market, orders
from tests.integration.gateway.harness import Gateway

PUBLIC = {("get", "/health"), ("get", "/ready"), ("get", "/problems/{code}")}


def declared(gateway: Gateway) -> Iterator[Route]:
    """Every route but the document itself."""
    for route in every_route(gateway.app):
        if isinstance(route, Route) and route.path != "/openapi.json":
            yield route


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield method, path, operation


def concrete(path: str) -> str:
    for name, value in (("{order_id}", "1"), ("{isin}", "ZZBUSANPL019"), ("{account}", "0x" + "0" * 40)):
        path = path.replace(name, value)
    return path.replace("{request_id}", "r1").replace("{code}", "NOT_FOUND")


class TestAccess:
    def test_every_route_declares_who_may_call_it(self, gateway: Gateway) -> None:
        without = [route.path for route in declared(gateway) if access_of(route) is None]
        assert without == []

    def test_only_these_routes_are_public(self, gateway: Gateway) -> None:
        public = {
            (method.lower(), route.path)
            for route in declared(gateway)
            if isinstance(access_of(route), Anybody)
            for method in (route.methods or set()) - {"HEAD"}
        }
        assert public == PUBLIC

    def test_every_role_meets_every_endpoint(self, gateway: Gateway) -> None:
        for method, path, operation in operations(gateway.app.openapi()):
            if (method, path) in PUBLIC:
                continue
            where = (method.upper(), concrete(path))
            assert gateway.call(*where).status_code == 401, where
            for role in Role:
                status = gateway.call(*where, role).status_code
                assert (status == 403) == (role.name not in operation["x-roles"]), (where, role)
                assert status < 500, (where, role)


class TestDocument:
    def test_it_names_exactly_the_routes_that_are_served(self, gateway: Gateway) -> None:
        served = {
            (method.lower(), route.path)
            for route in declared(gateway)
            for method in (route.methods or set()) - {"HEAD"}
        }
        documented = {(method, path) for method, path, _ in operations(gateway.app.openapi())}
        assert documented == served
        assert ("post", "/orders") in documented

    def test_every_operation_declares_the_problem_and_none_the_frameworks_own(self, gateway: Gateway) -> None:
        document = gateway.app.openapi()
        for method, path, operation in operations(document):
            problem = operation["responses"]["default"]["content"]["application/problem+json"]
            assert problem["schema"] == {"$ref": "#/components/schemas/Problem"}, (method, path)
            assert "422" not in operation["responses"], (method, path)
        assert not {"HTTPValidationError", "ValidationError"} & set(document["components"]["schemas"])

    def test_every_reference_resolves(self, gateway: Gateway) -> None:
        document = gateway.app.openapi()
        schemas = document["components"]["schemas"]

        def references(node: object) -> Iterator[str]:
            if isinstance(node, dict):
                for key, value in node.items():
                    if key == "$ref":
                        yield value
                    else:
                        yield from references(value)
            elif isinstance(node, list):
                for item in node:
                    yield from references(item)

        assert {name.removeprefix("#/components/schemas/") for name in references(document)} <= set(schemas)

    def test_it_is_served_without_a_token(self, gateway: Gateway) -> None:
        assert gateway.call("GET", "/openapi.json").json()["openapi"].startswith("3.1")

    def test_unknown_fields_are_refused_by_every_body(self, gateway: Gateway) -> None:
        schemas = gateway.app.openapi()["components"]["schemas"]
        bodies = [name for name in schemas if name.endswith("Body")]
        assert len(bodies) > 8
        assert [name for name in bodies if schemas[name].get("additionalProperties") is not False] == []


class TestProblems:
    def test_a_path_that_does_not_exist(self, gateway: Gateway) -> None:
        response = gateway.call("GET", "/nowhere")
        assert (response.status_code, response.json()["code"]) == (404, "NOT_FOUND")
        assert response.headers["content-type"] == "application/problem+json"

    def test_a_method_that_a_path_does_not_take(self, gateway: Gateway) -> None:
        response = gateway.call("PUT", "/health")
        assert (response.status_code, response.json()["code"]) == (405, "METHOD_NOT_ALLOWED")

    def test_an_error_of_our_own_says_nothing_of_our_insides(
        self, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(market, "_book", lambda *_: 1 // 0)
        response = gateway.call("GET", "/book/ZZBUSANPL019", Role.VENUE)
        assert (response.status_code, response.json()["code"]) == (500, "INTERNAL")
        assert "division" not in response.text

    @pytest.mark.parametrize("code", ["TICK_INVALID", "NOT_FOUND", "LEDGER_UNAVAILABLE"])
    def test_the_page_of_a_code(self, gateway: Gateway, code: str) -> None:
        assert gateway.call("GET", f"/problems/{code}").json()["code"] == code

    def test_an_unknown_code_has_no_page(self, gateway: Gateway) -> None:
        assert gateway.call("GET", "/problems/NONSENSE").status_code == 404


class TestHotRoutes:
    def test_they_declare_the_role_that_they_enforce(self) -> None:
        assert [isinstance(route.access, Requires) for route in orders.HOT_ROUTES] == [True]
