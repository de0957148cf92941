"""What the service counts and measures, as Prometheus reads it at `/metrics`."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_IMAGES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class Metrics:
    """The metrics of one service."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.requests = Counter(
            "mnistry_requests", "Requests that were answered.", ["route", "status"], registry=registry
        )
        self.seconds = Histogram(
            "mnistry_request_seconds",
            "From the head of a request to the end of its answer.",
            ["route"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.under_way = Gauge("mnistry_requests_under_way", "Requests not yet answered.", registry=registry)
        self.held_bytes = Gauge("mnistry_held_bytes", "Of the bodies of these requests.", registry=registry)
        self.queue = Gauge("mnistry_queue_length", "Images that wait for the model.", registry=registry)
        self.batch = Histogram(
            "mnistry_batch_images", "Images in one call of the model.", buckets=_IMAGES, registry=registry
        )
        self.digits = Counter("mnistry_digits", "Digits that were read or classified.", registry=registry)

    def text(self) -> bytes:
        """All of them in Prometheus's text format."""
        return generate_latest(self._registry)
