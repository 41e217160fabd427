"""A made camera, a bare subscriber and the segmentation node, each in a process of its own."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from typing import Any

from damage_perception.cli.transport_graph import Graph, Received
from damage_perception.cli.transport_scene import CAMERA, HEIGHT, RATE_HZ, WIDTH, made_scene
from damage_perception.errors import UserError

WARM_UP = 90  # pairs sent before those that count: the first frame loads libraries
STARTS_WITHIN_S, DRAINS_WITHIN_S = 30.0, 3.0


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
