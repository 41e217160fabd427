"""A made camera, a bare subscriber and the segmentation node, each in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from damage_perception.errors import UserError
from damage_perception.frame import CameraIntrinsics, RgbdFrame

WIDTH, HEIGHT, RATE_HZ = 1280, 720, 30.0
WARM_UP = 90  # pairs sent before those that count: the first frame loads libraries
CAMERA = CameraIntrinsics(WIDTH, HEIGHT, 910.0, 910.0, 640.0, 360.0)
STARTS_WITHIN_S, DRAINS_WITHIN_S = 30.0, 3.0
PROFILES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')


@dataclass(frozen=True)
class Graph:
    """Where the processes of one trial meet."""

    domain: int
    profile: str | None  # path of a Fast DDS profile; None = the defaults of Fast DDS
    pairs: int
    results: Any  # queue
    stop: Any  # event

    def enter(self) -> None:
        """Join it; before rclpy starts."""
        for name in PROFILES:
            os.environ.pop(name, None)
            if self.profile is not None:
                os.environ[name] = self.profile
        import rclpy

        rclpy.init(args=[], domain_id=self.domain)


@dataclass
class Received:
    """What a listener heard: seconds from stamp to arrival by stamp, and what the node matched."""

    latency_s: dict[int, float] = field(default_factory=dict)
    matched: int = 0
    compute_ms: list[float] = field(default_factory=list)  # of the frames that the node tells


def made_scene() -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
    """Make a belt with two cartons: (H, W, 3) colour and (H, W) depth in millimetres."""
    rng = np.random.default_rng(0)
    rgb = rng.integers(60, 90, (HEIGHT, WIDTH, 3), np.uint8)
    depth = rng.normal(1200.0, 2.0, (HEIGHT, WIDTH))
    for x in (250, 750):
        part = slice(200, 500), slice(x, x + 300)
        rgb[part] = (170, 130, 90)
        depth[part] -= 150.0
    return rgb, depth.astype(np.uint16)


def compute_ms(frames: int = 15) -> list[float]:
    """Times of the bare pipeline on the made scene, after two frames to warm up."""
    from damage_perception.perception.depth import depth_in_metres
    from damage_perception.pipeline import DamagePipeline

    rgb, depth = made_scene()
    pipeline, spent = DamagePipeline(), []
    for k in range(frames + 2):
        began = time.perf_counter()
        depth_m = depth_in_metres(depth, '16UC1')
        pipeline.process(RgbdFrame(rgb, depth_m, CAMERA, k * 33_333_333, 'camera'))
        spent.append(time.perf_counter() - began)
    return [1e3 * seconds for seconds in spent[2:]]


def run_trial(
    listener: Callable[[Graph], None], profile: str | None, pairs: int, domain: int, node: bool
) -> tuple[list[int], Received]:
    """Send pairs from one process to another; give the stamps that were sent and what came.

    Raises:
        UserError: if a process did not start or ended early.
    """
    context = multiprocessing.get_context('spawn')
    graph = Graph(domain, profile, pairs, context.Queue(), context.Event())
    targets = [listener, *([run_node] if node else []), run_camera]
    processes = [context.Process(target=target, args=(graph,)) for target in targets]
    for process in processes:
        process.start()
    limit = STARTS_WITHIN_S + (pairs + WARM_UP) / RATE_HZ + 30.0
    try:
        sent: list[int] = graph.results.get(timeout=limit)
        time.sleep(DRAINS_WITHIN_S)
        graph.stop.set()
        received: Received = graph.results.get(timeout=30.0)
    except Exception as error:
        raise UserError(f'the benchmark got no answer from its processes ({error!r})') from error
    finally:
        graph.stop.set()
        for process in reversed(processes):
            process.terminate()
            process.join(10.0)
    return sent, received


def run_camera(graph: Graph) -> None:
    """Publish the made scene at its rate, once somebody listens."""
    graph.enter()
    import rclpy
    from sensor_msgs.msg import CameraInfo, Image

    from damage_perception.ros import qos
    from damage_perception.ros.frame_source import DEPTH, INFO, RGB
    from damage_perception.ros.image_conversion import fill_image
    from damage_perception.ros.messages import header

    node = rclpy.create_node('benchmark_camera')
    rgb, depth = made_scene()
    images = [fill_image(Image(), rgb, 'rgb8'), fill_image(Image(), depth, '16UC1')]
    publishers = [node.create_publisher(Image, topic, qos.SENSOR) for topic in (RGB, DEPTH)]
    k = [CAMERA.fx, 0.0, CAMERA.cx, 0.0, CAMERA.fy, CAMERA.cy, 0.0, 0.0, 1.0]
    info = CameraInfo(width=WIDTH, height=HEIGHT, k=k)
    info_publisher = node.create_publisher(CameraInfo, INFO, qos.SENSOR)
    end = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < end and not all(p.get_subscription_count() for p in publishers):
        time.sleep(0.05)
    time.sleep(1.0)
    stamps, due = [], time.monotonic()
    for _ in range(WARM_UP + graph.pairs):
        stamp = time.time_ns()
        stamps.append(stamp)
        for message in (*images, info):
            message.header = header(stamp, 'camera')
        info_publisher.publish(info)
        for publisher, image in zip(publishers, images, strict=True):
            publisher.publish(image)
        due += 1.0 / RATE_HZ
        time.sleep(max(0.0, due - time.monotonic()))
    graph.results.put(stamps[WARM_UP:])
    graph.stop.wait(60.0)


def run_node(graph: Graph) -> None:
    """Serve the segmentation node."""
    graph.enter()
    import rclpy
    from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor

    from damage_perception.nodes.damage_segmentation_node import DamageSegmentationNode

    node, executor = DamageSegmentationNode(), SingleThreadedExecutor()
    executor.add_node(node)
    node.start(autostart=True)
    try:
        executor.spin()
    except ExternalShutdownException:
        node.deactivate()
    rclpy.try_shutdown()


def listen_to_images(graph: Graph) -> None:
    """Take both images and do nothing: the bare transport."""
    from damage_perception.ros.image_conversion import stamp_ns

    arrived: dict[int, int] = {}
    received = Received()

    def take(message: Any) -> None:
        stamp = stamp_ns(message)
        arrived[stamp] = arrived.get(stamp, 0) + 1
        if arrived[stamp] == 2:
            received.latency_s[stamp] = (time.time_ns() - stamp) / 1e9

    def subscribe(node: Any) -> None:
        from sensor_msgs.msg import Image

        from damage_perception.ros import qos
        from damage_perception.ros.frame_source import DEPTH, RGB

        for topic in (RGB, DEPTH):
            node.create_subscription(Image, topic, take, qos.SENSOR)

    _listen(graph, subscribe, received)


def listen_to_reports(graph: Graph) -> None:
    """Take the reports of the node, and from its diagnostics its pairs and stage times."""
    from damage_perception.ros.frame_source import RGB
    from damage_perception.ros.image_conversion import stamp_ns

    received = Received()

    def take(message: Any) -> None:
        stamp = stamp_ns(message)
        if message.health != message.UNKNOWN:
            received.latency_s[stamp] = (time.time_ns() - stamp) / 1e9

    def note(array: Any) -> None:
        values = {v.key: v.value for status in array.status for v in status.values}
        received.matched = int(values.get(f'{RGB} matched', received.matched))
        stages = [float(values[key]) for key in values if key.startswith('stage ')]
        received.compute_ms += [sum(stages)] if stages else []

    def subscribe(node: Any) -> None:
        from diagnostic_msgs.msg import DiagnosticArray

        import damage_perception.msg as msg
        from damage_perception.ros import qos

        node.create_subscription(msg.DamageReport, 'damage/report', take, qos.RESULT)
        node.create_subscription(DiagnosticArray, '/diagnostics', note, 10)

    _listen(graph, subscribe, received)


def _listen(graph: Graph, subscribe: Callable[[Any], None], received: Received) -> None:
    graph.enter()
    import rclpy

    node = rclpy.create_node('benchmark_listener')
    subscribe(node)
    while not graph.stop.is_set():
        rclpy.spin_once(node, timeout_sec=0.1)
    graph.results.put(received)
