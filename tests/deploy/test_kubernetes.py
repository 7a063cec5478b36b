"""The manifests: taken by the schemas, safe by themselves, and about what the program and CloudFormation have."""

import copy
import re
from collections.abc import Callable

import pytest

from tests.deploy import manifests
from tests.deploy.checkers import faults_of
from tests.deploy.manifests import OVERLAYS, Manifest, environment, of_kind, pods
from traffic_tacos.app.config import Config
from traffic_tacos.app.given import SETTINGS, config_of
from traffic_tacos.app.roles import ALL, ROLES
from traffic_tacos.engines.sqs_queues import QUEUES

COMPONENT = "app.kubernetes.io/component"
DRAINED_WITHIN = 40


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_manifest_is_taken_by_its_schema(overlay):
    found = manifests.manifests(overlay)
    assert len(found) > 20
    faults = zip(found, faults_of("manifest", found), strict=True)
    assert [(one["kind"], one["metadata"]["name"], fault) for one, fault in faults if fault] == []


def spoiled(kind: str, name: str, spoil: Callable[[Manifest], object]) -> Manifest:
    manifest = copy.deepcopy(of_kind("production", kind)[name])
    spoil(manifest["spec"])
    return manifest


def test_a_manifest_with_something_wrong_is_found():
    trigger = {"type": "aws-sqs-queue", "metadata": {}, "authenticationReff": {"name": "worker"}}
    wrong = [
        spoiled("Deployment", "edge", lambda spec: spec.update(replica=3)),
        spoiled("Deployment", "edge", lambda spec: spec.update(replicas="three")),
        spoiled("Deployment", "edge", lambda spec: spec["template"]["spec"]["containers"][0].update(readyProbe={})),
        spoiled("NetworkPolicy", "edge", lambda spec: spec.update(ingres=[])),
        spoiled("ScaledObject", "worker", lambda spec: spec.update(minReplicas=0)),
        spoiled("ScaledObject", "worker", lambda spec: spec.update(minReplicaCount="none")),
        spoiled("ScaledObject", "worker", lambda spec: spec.update(triggers=[trigger])),
        spoiled("TriggerAuthentication", "worker", lambda spec: spec["podIdentity"].update(provider="aws-eksx")),
    ]
    assert [fault for fault in faults_of("manifest", wrong) if not fault] == []


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_role_is_deployed_once_under_an_account_of_its_own(overlay):
    deployments, accounts = of_kind(overlay, "Deployment"), of_kind(overlay, "ServiceAccount")
    assert set(deployments) == set(accounts) == set(ROLES) - {ALL}
    for role, pod, container in pods(overlay):
        assert container["args"] == ["serve", "--role", role]
        assert pod["serviceAccountName"] == role
        labels = deployments[role]["spec"]["template"]["metadata"]["labels"]
        assert labels[COMPONENT] == role == deployments[role]["spec"]["selector"]["matchLabels"][COMPONENT]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_pod_may_do_no_more_than_it_must(overlay):
    for _, pod, container in pods(overlay):
        assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] > 1000
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert pod["automountServiceAccountToken"] is False
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
        assert {"cpu", "memory"} <= set(container["resources"]["requests"])
        assert "memory" in container["resources"]["limits"]
        assert not container["image"].endswith(":latest") and ":" in container["image"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_pod_is_asked_how_it_is_and_may_finish(overlay):
    for _, pod, container in pods(overlay):
        paths = {probe: container[probe]["httpGet"]["path"] for probe in container if probe.endswith("Probe")}
        assert paths == {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}
        assert pod["terminationGracePeriodSeconds"] >= DRAINED_WITHIN + 10
        assert {one["topologyKey"] for one in pod["topologySpreadConstraints"]} == {
            "topology.kubernetes.io/zone",
            "kubernetes.io/hostname",
        }


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_settings_are_those_of_the_program_which_takes_them_for_every_role(overlay):
    known = {setting.variable: name for name, setting in SETTINGS.items()}
    for role, pod, container in pods(overlay):
        # Kubernetes makes variables of Services' names, and a variable that begins as ours and is none is refused.
        assert pod["enableServiceLinks"] is False
        given = environment(overlay) | {one["name"]: "" for one in container["env"]}
        ours = {name: value for name, value in given.items() if name.startswith("TACOS_")}
        assert set(ours) <= set(known), set(ours) - set(known)
        texts = {known[name]: value.split() for name, value in ours.items() if value} | {"role": [role]}
        config = config_of(texts)
        assert config.rooms and config.grpc.host == config.http.host == "0.0.0.0"
        assert set(Config().rooms) == set(config.rooms) | set(config.remote), "every room is here or elsewhere"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_rooms_elsewhere_are_at_services_that_have_them(overlay):
    services, deployed = of_kind(overlay, "Service"), {role for role, _, _ in pods(overlay)}
    for entry in environment(overlay)["TACOS_ELSEWHERE"].split():
        rooms, _, address = entry.partition("=")
        service, port = address.split(":")
        assert service in services and service in deployed
        assert set(rooms.split(",")) <= set(ROLES[service].rooms or ())
        assert {"grpc": int(port)}.items() <= {
            one["name"]: one["port"] for one in services[service]["spec"]["ports"]
        }.items()
        assert services[service]["spec"]["clusterIP"] == "None", "gRPC would stay with one pod"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_names_something_else_names_what_is_there(overlay):
    deployed = {role for role, _, _ in pods(overlay)}
    for kind, path in (("HorizontalPodAutoscaler", "scaleTargetRef"), ("ScaledObject", "scaleTargetRef")):
        assert {one["spec"][path]["name"] for one in of_kind(overlay, kind).values()} <= deployed
    for kind in ("PodDisruptionBudget", "Service"):
        for one in of_kind(overlay, kind).values():
            selector = one["spec"]["selector"]
            assert selector.get("matchLabels", selector)[COMPONENT] in deployed
    services = {*of_kind(overlay, "Service"), "nothing"}
    for ingress in of_kind(overlay, "Ingress").values():
        for path in (path for rule in ingress["spec"]["rules"] for path in rule["http"]["paths"]):
            assert path["backend"]["service"]["name"] in services


def test_what_scales_itself_has_no_number_that_every_deployment_would_set_anew():
    scaled = {"edge", "sale", "worker"}
    for role, deployment in of_kind("production", "Deployment").items():
        assert ("replicas" in deployment["spec"]) == (role not in scaled)
    assert set(of_kind("production", "HorizontalPodAutoscaler")) | set(of_kind("production", "ScaledObject")) == scaled
    assert of_kind("production", "ScaledObject")["worker"]["spec"]["minReplicaCount"] == 0


def test_workers_are_as_many_as_the_queues_of_the_program_want():
    triggers = of_kind("production", "ScaledObject")["worker"]["spec"]["triggers"]
    given = environment("production")
    assert [one["metadata"]["queueURL"] for one in triggers] == [given["TACOS_SQS"] + queue for queue in QUEUES]
    assert {one["metadata"]["awsRegion"] for one in triggers} == {given["AWS_REGION"]}


def test_every_pod_has_the_role_of_its_name():
    for name, account in of_kind("production", "ServiceAccount").items():
        [arn] = account["metadata"]["annotations"].values()
        assert arn == f"arn:aws:iam::111122223333:role/tacos-{name}"


def test_all_but_the_worker_outlive_the_emptying_of_a_machine():
    assert set(of_kind("production", "PodDisruptionBudget")) == set(ROLES) - {ALL, "worker"}
    assert of_kind("production", "Deployment")["relay"]["spec"]["replicas"] == 2


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_nothing_is_reached_that_no_policy_names(overlay):
    policies = of_kind(overlay, "NetworkPolicy")
    assert policies["nothing"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    everywhere = [
        (name, rule)
        for name, policy in policies.items()
        for rule in policy["spec"].get("ingress", [])
        if not rule.get("from") or not rule.get("ports")
    ]
    assert everywhere == []
    for name, policy in policies.items():
        for rule in policy["spec"].get("egress", []):
            for to in rule["to"]:
                if to.get("ipBlock", {}).get("cidr") == "0.0.0.0/0":
                    assert "169.254.0.0/16" in to["ipBlock"]["except"], name


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_no_secret_is_in_the_tree(overlay):
    assert of_kind(overlay, "Secret") == {}
    for _, pod, container in pods(overlay):
        for one in container["env"]:
            assert "secretKeyRef" in one["valueFrom"], one
        named = {
            source["secret"]["name"]
            for volume in pod["volumes"]
            for source in volume.get("projected", {}).get("sources", ())
        }
        assert named == {"tacos-keys"}
    for path in manifests.FOLDER.rglob("*"):
        if path.is_file():
            assert not re.search(r"(?i)(password|secret|token)\s*[:=]\s*[A-Za-z0-9+/]{8,}", path.read_text()), path


def test_the_public_address_is_that_of_the_balancer():
    given, ingress = environment("production"), of_kind("production", "Ingress")
    [host] = {rule["host"] for rule in ingress["http"]["spec"]["rules"]}
    assert given["TACOS_PUBLIC_URL"] == f"https://{host}"
    assert given["TACOS_PAYMENT_WEBHOOK"] == f"https://{host}/webhooks/payments"
    paths = {
        path["path"]: path["backend"]["service"]["name"]
        for path in ingress["http"]["spec"]["rules"][0]["http"]["paths"]
    }
    assert paths == {"/metrics": "nothing", "/webhooks/payments": "sale", "/": "fans"}
