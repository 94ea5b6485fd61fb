# SPDX-License-Identifier: Apache-2.0
"""The deployment's files agree with each other and with what the engine understands; no engine is started."""

import json
import shutil
import stat
import subprocess
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest
import rlp
import yaml
from coincurve import PrivateKey

from stoken.domain.codes import Role, Scope
from stoken.domain.identifiers import is_lei
from stoken.gateway.auth import TokenVerifier
from stoken.issuance.charter import read_charter
from stoken.settings import Settings, load_settings
from tests.docs.programs import ROOT, load

INIT = load("deploy/init.py")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
NODES = ("besu1", "besu2", "besu3", "besu4")
CONFIG = tomllib.loads((ROOT / "deploy/besu/config.toml").read_text())
GENESIS = json.loads((ROOT / "deploy/besu/genesis.template.json").read_text())


def known_options() -> dict[str, str | None]:
    lines = (ROOT / "tests/docs/besu_options.txt").read_text().splitlines()
    pairs = [line.partition(" = ") for line in lines if line and not line.startswith("#")]
    return {name: value or None for name, _, value in pairs}


def text_of(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class TestBesuConfiguration:
    def test_every_option_is_one_that_the_engine_knows(self) -> None:
        assert set(CONFIG) <= set(known_options())

    def test_the_options_that_the_network_relies_on_have_their_value(self) -> None:
        relied_on = {name: value for name, value in known_options().items() if value is not None}
        assert {name: text_of(CONFIG[name]) for name in relied_on} == relied_on

    def test_no_method_that_administers_a_node_is_offered(self) -> None:
        assert not {"ADMIN", "PERM", "MINER", "DEBUG"} & set(CONFIG["rpc-http-api"])

    @pytest.mark.parametrize("node", NODES)
    def test_the_arguments_of_a_node_are_options_too(self, node: str) -> None:
        names = [argument.removeprefix("--").partition("=")[0] for argument in SERVICES[node]["command"]]
        assert set(names) - {"config-file"} <= set(known_options())

    def test_each_node_may_be_called_by_its_name(self) -> None:
        assert set(NODES) <= set(CONFIG["host-allowlist"])


class TestGenesis:
    def test_keys_are_those_of_qbft_with_free_gas(self) -> None:
        config = GENESIS["config"]
        assert config["zeroBaseFee"] is True
        assert {name: config[name] for name in config if name.endswith(("Block", "Time"))} == {
            "berlinBlock": 0,
            "londonBlock": 0,
            "shanghaiTime": 0,
            "cancunTime": 0,
            "pragueTime": 0,
        }
        assert config["qbft"] == {
            "blockperiodseconds": 1,
            "emptyblockperiodseconds": 10,
            "epochlength": 30000,
            "requesttimeoutseconds": 4,
            "pertxgaslimit": 0,
        }

    def test_a_block_holds_a_hundred_million_gas(self) -> None:
        assert int(GENESIS["gasLimit"], 16) == 100_000_000
        assert int(GENESIS["baseFeePerGas"], 16) == 0
        assert bytes.fromhex(GENESIS["mixHash"][2:]) == b"ctical byzantine fault tolerance"

    def test_extra_data_of_two_validators_is_the_format_of_the_engine(self) -> None:
        first, second = "be068f726a13c8d46c44be6ce9d275600e1735a4", "5ff6f4b66a46a2b2310a6f3a93aaddc0d9a1c193"
        expected = f"0xf84fa0{'00' * 32}ea94{second}94{first}c080c0"
        assert INIT.extra_data([bytes.fromhex(first), bytes.fromhex(second)]) == expected

    def test_extra_data_of_four_validators_equals_a_running_networks(self) -> None:
        validators = (
            "fa17c5b66a985f44bc249c8e8fabd64767f414b1",
            "83279fae0994aa1a563377e889cc2a1d96adb3b1",
            "45de2eddbe199f4fe133b728a40e8ed516d1b015",
            "083ed08f75c4cb12e97c13c07f9d836e93df5e60",
        )
        seen = (
            "0xf87aa00000000000000000000000000000000000000000000000000000000000000000f854"
            "94083ed08f75c4cb12e97c13c07f9d836e93df5e609445de2eddbe199f4fe133b728a40e8ed516d1b015"
            "9483279fae0994aa1a563377e889cc2a1d96adb3b194fa17c5b66a985f44bc249c8e8fabd64767f414b1c080c0"
        )
        assert INIT.extra_data([bytes.fromhex(address) for address in validators]) == seen


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("made")
    assert INIT.main(["--root", str(root)]) == 0
    return root


class TestInit:
    def test_the_genesis_names_the_four_nodes_whose_keys_were_made(self, made: Path) -> None:
        genesis = json.loads((made / "network/genesis.json").read_text())
        vanity, validators, vote, round_, seals = rlp.decode(bytes.fromhex(genesis["extraData"][2:]))
        keys = [PrivateKey.from_hex((made / f"node{n}/key").read_text().strip()[2:]) for n in range(1, 5)]
        assert set(validators) == {INIT.address_of(key) for key in keys}
        assert (len(vanity), len(validators), vote, round_, seals) == (32, 4, [], b"", [])

    def test_peers_are_the_fixed_addresses_of_the_compose_file(self, made: Path) -> None:
        enodes = json.loads((made / "network/static-nodes.json").read_text())
        addresses = [SERVICES[node]["networks"]["ledger"]["ipv4_address"] for node in NODES]
        assert [enode.partition("@")[2] for enode in enodes] == [f"{it}:{CONFIG['p2p-port']}" for it in addresses]
        assert [SERVICES[node]["command"][1] for node in NODES] == [f"--p2p-host={it}" for it in addresses]

    def test_secrets_are_readable_by_their_owner_alone(self, made: Path) -> None:
        public = {"genesis.json", "static-nodes.json", "charter.json", "issuer.pem"}
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in made.rglob("*") if path.is_file()}
        assert {name for name, mode in modes.items() if mode != 0o600} == public

    def test_the_charter_names_the_members_by_the_keys_that_were_made(self, made: Path) -> None:
        charter = read_charter(made / "network/charter.json")
        venue = next(founder for founder in charter.founders if founder.member == b"ZZZZ0000000000000113")
        sender = json.loads((made / "secrets/sender.json").read_text())["address"]
        person = PrivateKey.from_hex((made / "members/VENUE/person1").read_text().strip()[2:])
        assert venue.roles == Role.VENUE
        assert {key.key: Scope(key.scopes) for key in venue.keys} | {
            bytes.fromhex(sender): Scope.SENDER,
            INIT.address_of(person): Scope.MEMBER,
        } == {key.key: Scope(key.scopes) for key in venue.keys}
        assert all(is_lei(founder.member.decode()) for founder in charter.founders)

    def test_an_access_token_names_a_member_and_its_role(
        self, made: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.syspath_prepend(ROOT / "deploy")
        assert load("deploy/access_token.py").main(["BROKER1", "--root", str(made)]) == 0
        verifier = TokenVerifier((made / "secrets/issuer.pem").read_bytes(), "stoken-demo", "stoken", time.time)
        principal = verifier.verify(f"Bearer {capsys.readouterr().out.strip()}")
        assert (principal.lei, principal.roles) == ("ZZZZ0000000000001665", Role.ACCOUNT_MANAGER)

    def test_a_second_run_changes_nothing(self, made: Path) -> None:
        before = {path: path.read_bytes() for path in made.rglob("*") if path.is_file()}
        assert INIT.main(["--root", str(made)]) == 0
        assert {path: path.read_bytes() for path in made.rglob("*") if path.is_file()} == before

    def test_a_half_written_file_of_a_crash_is_made_again(self, made: Path) -> None:
        (made / "node1/key").unlink()
        (made / "node1/.key.new").write_text("0x12")
        assert INIT.main(["--root", str(made)]) == 0
        assert len((made / "node1/key").read_text().strip()) == 66


class TestCompose:
    def test_the_parts_of_a_network_are_there(self) -> None:
        assert {*NODES, "postgres", "gateway", "worker"} <= set(SERVICES)
        assert {SERVICES[node]["image"] for node in NODES} == {"hyperledger/besu:26.8.0"}

    def test_a_service_that_keeps_running_has_a_health_check_or_depends_on_healthy_ones(self) -> None:
        without = {name for name, service in SERVICES.items() if "restart" in service and "healthcheck" not in service}
        assert without <= {"worker"}

    def test_a_service_that_ends_is_awaited_by_another_so_that_wait_does_not_fail(self) -> None:
        awaited = {
            name
            for service in SERVICES.values()
            for name, how in service.get("depends_on", {}).items()
            if how["condition"] == "service_completed_successfully"
        }
        assert {name for name, service in SERVICES.items() if "restart" not in service} <= awaited

    def test_volumes_and_networks_are_declared(self) -> None:
        for name, service in SERVICES.items():
            mounts = [mount.partition(":")[0] for mount in service.get("volumes", ())]
            assert {mount for mount in mounts if "/" not in mount} <= set(COMPOSE["volumes"]), name
            assert set(service.get("networks", ())) <= set(COMPOSE["networks"]), name
            assert all((ROOT / mount).exists() for mount in mounts if mount.startswith("./")), name

    def test_a_node_sees_no_other_nodes_key(self) -> None:
        for number, node in enumerate(NODES, 1):
            mounts = {mount.partition(":")[0] for mount in SERVICES[node]["volumes"]}
            assert mounts == {"./deploy/besu", "network", f"node{number}", f"data{number}"}

    def test_the_settings_of_gateway_and_worker_exist(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for service in ("schema", "suite", "gateway", "worker"):
            for name, value in SERVICES[service]["environment"].items():
                monkeypatch.setenv(name, value)
            assert isinstance(load_settings(), Settings)

    def test_no_secret_stands_in_the_file(self) -> None:
        for service in SERVICES.values():
            for name in service.get("environment", {}):
                assert name.endswith("_FILE") or not any(word in name for word in ("PASSWORD", "SECRET", "DATABASE"))

    def test_only_the_gateway_is_published_and_only_to_this_machine(self) -> None:
        published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
        assert published == {"gateway": ["127.0.0.1:8080:8080"]}
        assert COMPOSE["networks"]["ledger"]["internal"] is True

    def test_docker_compose_accepts_the_file(self) -> None:
        docker = shutil.which("docker") or "docker"
        if not shutil.which(docker) or subprocess.run([docker, "compose", "version"], check=False).returncode:
            pytest.skip("docker compose is not installed: the file is checked as YAML only")
        subprocess.run([docker, "compose", "-f", str(ROOT / "docker-compose.yml"), "config", "-q"], check=True)


class TestImage:
    DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text()

    def test_what_is_copied_exists_and_is_not_ignored(self) -> None:
        allowed = (ROOT / "deploy/Dockerfile.dockerignore").read_text().splitlines()
        for line in self.DOCKERFILE.splitlines():
            if line.startswith("COPY ") and "--from" not in line:
                for source in line.split()[1:-1]:
                    assert (ROOT / source).exists(), source
                    assert f"!{source.split('/')[0]}" in allowed, source

    def test_packages_come_from_the_locks_by_hash(self) -> None:
        assert self.DOCKERFILE.count("--require-hashes") == 2

    def test_the_user_is_the_one_who_owns_the_secrets(self) -> None:
        assert f"--uid {INIT.STOKEN_UID}" in self.DOCKERFILE
        assert "\nUSER stoken\n" in self.DOCKERFILE

    def test_the_entry_point_is_executable_shell(self) -> None:
        entrypoint = ROOT / "deploy/entrypoint"
        assert entrypoint.stat().st_mode & stat.S_IXUSR
        subprocess.run(["/bin/sh", "-n", str(entrypoint)], check=True)
