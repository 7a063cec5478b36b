"""`tacos up`: all rooms in one process."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from traffic_tacos.app.config import Config, checked, parsed_elsewhere
from traffic_tacos.cli import options
from traffic_tacos.cli.event import checked_files
from traffic_tacos.kernel.addresses import parsed_address
from traffic_tacos.operations import logs


def up(
    data: options.Data = options.DEFAULTS.data,
    grpc: Annotated[str, typer.Option(envvar="TACOS_GRPC", help="Where to answer gRPC.")] = str(options.DEFAULTS.grpc),
    http: Annotated[str, typer.Option(envvar="TACOS_HTTP", help="Where to answer HTTP.")] = str(options.DEFAULTS.http),
    event: Annotated[list[Path] | None, typer.Option(help="An event file to put on sale; may be repeated.")] = None,
    time_scale: Annotated[float, typer.Option(help="Makes simulated payment times this much shorter.")] = 1.0,
    without: Annotated[list[str] | None, typer.Option(help="A service to leave out; may be repeated.")] = None,
    server: Annotated[str, typer.Option(help="The gRPC server: native or grpcio.")] = options.DEFAULTS.server,
    public_url: Annotated[
        str, typer.Option(help="What browsers know the HTTP address by, as in https://tickets.example.")
    ] = "",
    docs_url: Annotated[
        str, typer.Option(help="Where browsers find the documentation, as in https://docs.example; pages link to it.")
    ] = "",
    telemetry: Annotated[
        str, typer.Option(help="Where an OpenTelemetry collector takes OTLP over HTTP, as in http://127.0.0.1:4318.")
    ] = "",
    issuer: Annotated[
        str, typer.Option(help="An OpenID Connect issuer whose users are fans here, as in https://login.example.")
    ] = "",
    issuer_audience: Annotated[
        str, typer.Option(help="The audience that the issuer's tokens for us have.")
    ] = options.DEFAULTS.issuer_audience,
    issuer_client_id: Annotated[
        str, typer.Option(help="What our pages are known by at the issuer: a public client that uses PKCE.")
    ] = "",
    issuer_scope: Annotated[
        str, typer.Option(help="What our pages ask the issuer for, when its tokens for us need more than openid.")
    ] = options.DEFAULTS.issuer_scope,
    trusted_proxy: Annotated[
        list[str] | None,
        typer.Option(help="A network of proxies whose X-Forwarded-For is believed; may be repeated."),
    ] = None,
    elsewhere: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROOM[,ROOM…]=HOST:PORT",
            help="Services that run in another process, and where it answers gRPC; may be repeated.",
        ),
    ] = None,
    keys_of: Annotated[
        Path | None, typer.Option(help="The data folder of the process whose keys this one shares; else its own.")
    ] = None,
    dynamodb: options.DynamoDB = "",
    payment_webhook: Annotated[
        str, typer.Option(help="Where results of payments are taken, when the webhook service runs elsewhere.")
    ] = "",
    cors_origin: Annotated[
        list[str] | None,
        typer.Option(help="An origin whose pages may call the HTTP address from a browser; may be repeated."),
    ] = None,
    webhook_network: Annotated[
        list[str] | None,
        typer.Option(help="A network that webhooks may reach besides public addresses and loopback; may be repeated."),
    ] = None,
    connections_max: Annotated[
        int, typer.Option(help="How many connections each of gRPC and HTTP takes; 0 for as many as files allow.")
    ] = options.DEFAULTS.connections_max,
    connections_per_address: Annotated[
        int, typer.Option(help="How many of them from one address, unless it is a trusted proxy's or loopback.")
    ] = options.DEFAULTS.connections_per_address,
    idle_seconds: Annotated[
        float, typer.Option(help="Close a connection that for so long sends no whole request, or has none to answer.")
    ] = options.DEFAULTS.idle_seconds,
) -> None:
    """Start the whole platform here, on embedded engines. Stop it with Ctrl-C; it goes on where it ended.

    Example: [bold]tacos up --event examples/events/theatre.yaml --time-scale 10[/]
    """
    ring = logs.LogRing()
    logs.configure(ring, f"{options.randomness().getrandbits(128):032x}")
    config = checked(
        Config(
            data=data,
            grpc=parsed_address("grpc", grpc),
            http=parsed_address("http", http),
            event_files=tuple(event or ()),
            time_scale=time_scale,
            without=frozenset(without or ()),
            server=server,
            public_url=public_url,
            docs_url=docs_url,
            telemetry=telemetry,
            issuer=issuer,
            issuer_audience=issuer_audience,
            issuer_client_id=issuer_client_id,
            issuer_scope=issuer_scope,
            trusted_proxies=tuple(trusted_proxy or ()),
            cors_origins=tuple(cors_origin or ()),
            elsewhere=parsed_elsewhere(elsewhere or ()),
            keys_of=keys_of,
            dynamodb=dynamodb,
            payment_webhook=payment_webhook,
            connections_max=connections_max,
            connections_per_address=connections_per_address,
            idle_seconds=idle_seconds,
            webhook_networks=(*options.DEFAULTS.webhook_networks, *(webhook_network or ())),
        )
    )
    documents = [checked_files(path) for path in config.event_files]
    from traffic_tacos.cli import serving  # which loads every service: no other command needs them

    asyncio.run(serving.serve(config, ring, documents))
