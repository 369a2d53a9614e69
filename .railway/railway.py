"""The Railway project: a PostgreSQL, and beside it tilepress, which a schedule starts every night.

`railway config plan` shows what this would change, `railway config apply` changes it; docs/railway.md tells the rest.
Secrets are only named here: they are set in Railway, and `preserve()` keeps them as they are.
"""

from railway_sdk import Project, define_railway, postgres, preserve, project, service, volume

SCHEDULE = (
    "0 2 * * *"  # UTC. Railway takes no two runs less than 5 minutes apart, and skips one while another is at work
)
DRAINING_S = 15  # from SIGTERM to SIGKILL: a run needs up to 10 to deliver what is done; Railway's own default is 0
MEMORY_BYTES = 1_000_000_000
CPUS = 4  # what a run holds in memory grows with its threads
VOLUME_MB = 5_000  # prepared designs (store.max_bytes), and the sheets of one night until they are delivered

SET_IN_RAILWAY = (
    "NAS_HOST",
    "NAS_HOST_KEY",
    "NAS_USER",
    "NAS_PASSWORD",
    "DESIGNS_BUCKET",
    "AWS_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
)


@define_railway
def main(ctx: object = None) -> Project:  # noqa: ARG001 - what the CLI hands over; all environments are alike
    """Return the project as it should be."""
    database = postgres("postgres")
    work = volume("work", sizeMB=VOLUME_MB)
    nightly = service(
        "nightly",
        build={"builder": "DOCKERFILE", "dockerfilePath": "Dockerfile"},
        deploy={
            "cronSchedule": SCHEDULE,
            "restartPolicyType": "NEVER",  # the default would print a night that failed ten times over
            "drainingSeconds": DRAINING_S,
            "limitOverride": {"containers": {"cpu": CPUS, "memoryBytes": MEMORY_BYTES}},
        },
        volumeMounts={"/work": work},
        env={
            "TILEPRESS_PIPELINE": "config/examples/nightly.yaml",  # which pipeline file the image is built with
            "DATABASE_URL": database.env.DATABASE_URL,  # by its private address
            "RAILWAY_RUN_UID": "0",  # volumes belong to root: without one, remove this, and tilepress runs as nobody
            **dict.fromkeys(SET_IN_RAILWAY, preserve()),
        },
    )
    return project("tilepress", resources=[database, work, nightly])
