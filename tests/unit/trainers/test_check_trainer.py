"""Configurations in the form of the real ones, and what they do to images without boxes."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from tests.detected import mined
from tests.labelled import labelled

from hardneg.errors import InputError
from hardneg.io.writers import export
from hardneg.trainers import Effect, Finding, check, image_counts
from hardneg.trainers._literals import config_of
from hardneg.trainers._texts import source_of

DROPPED, KEPT, NO_LOSS, FEW, UNKNOWN = Effect.DROPPED, Effect.KEPT, Effect.NO_LOSS, Effect.FEW, Effect.UNKNOWN

RCNN = """\
_BASE_: "../Base-RCNN-FPN.yaml"
MODEL:
  WEIGHTS: "detectron2://ImageNetPretrained/MSRA/R-50.pkl"
  MASK_ON: False
"""
BASE_RCNN = """\
MODEL:
  META_ARCHITECTURE: "GeneralizedRCNN"
DATASETS:
  TRAIN: ("coco_2017_train",)
"""
LAZY = """\
from omegaconf import OmegaConf
from detectron2.config import LazyCall as L
from detectron2.data import build_detection_train_loader, get_detection_dataset_dicts

dataloader = OmegaConf.create()
dataloader.train = L(build_detection_train_loader)(
    dataset=L(get_detection_dataset_dicts)(names="coco_2017_train"),
    total_batch_size=16,
)
dataloader.test = L(build_detection_train_loader)(
    dataset=L(get_detection_dataset_dicts)(names="coco_2017_val", filter_empty=False),
)
"""
FCOS = """\
from ..common.data.coco import dataloader
from ..common.models.fcos import model

dataloader.train.mapper.use_instance_mask = False
"""
COCO_DETECTION = """\
dataset_type = 'CocoDataset'
data_root = 'data/coco/'
train_pipeline = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations', with_bbox=True)]
train_dataloader = dict(
    batch_size=2,
    dataset=dict(
        type=dataset_type,
        ann_file='annotations/instances_train2017.json',
        filter_cfg=dict(filter_empty_gt=True, min_size=32),
        pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(type=dataset_type, filter_cfg=dict(filter_empty_gt=True)))
"""
VERSION_2 = """\
dataset_type = 'CocoDataset'
data = dict(
    samples_per_gpu=2,
    train=dict(
        type='RepeatDataset',
        times=3,
        dataset=dict(type=dataset_type, ann_file='train.json')),
    val=dict(type=dataset_type))
"""
SSD300 = """\
model = dict(
    type='SingleStageDetector',
    bbox_head=dict(type='SSDHead', num_classes=80),
    train_cfg=dict(
        sampler=dict(type='PseudoSampler'),
        smoothl1_beta=1.,
        neg_pos_ratio=3))
"""
COCO_UTILS = """\
import torchvision


def _coco_remove_images_without_annotations(dataset, cat_list=None):
    return dataset


def get_coco(root, image_set, transforms):
    dataset = torchvision.datasets.CocoDetection(root, root)
    if image_set == "train":
        dataset = _coco_remove_images_without_annotations(dataset)
    return dataset
"""
COMMAND = """\
#!/bin/sh
# ssd
torchrun --nproc_per_node=8 references/detection/train.py \\
    --dataset coco --model ssd300_vgg16 --epochs 120 \\
    --lr 0.002
"""
DATA_YAML = "path: ../datasets/coco8\ntrain: images/train\nval: images/val\nnames:\n  0: person\n"


def _found(folder: Path, name: str, text: str) -> list[Finding]:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return list(check(file).findings)


def _one(folder: Path, name: str, text: str) -> Finding:
    (one,) = _found(folder, name, text)
    return one


def _text(one: Finding) -> str:
    assert one.line is not None
    return one.file.read_text().splitlines()[one.line - 1].strip()


# Detectron2


def test_detectron2_drops_them_unless_told_otherwise(tmp_path: Path) -> None:
    one = _one(tmp_path, "a.yaml", BASE_RCNN)
    assert (one.effect, one.line) == (DROPPED, None)
    assert one.change == "add: DATALOADER: {FILTER_EMPTY_ANNOTATIONS: False}"
    assert one.counts == "boxes"  # crowds do not keep an image


@pytest.mark.parametrize(
    ("value", "effect"), [("False", KEPT), ("True", DROPPED), ("no", KEPT), ("${oc.env:X}", UNKNOWN)]
)
def test_detectron2_says_so_itself(tmp_path: Path, value: str, effect: Effect) -> None:
    text = f"{BASE_RCNN}DATALOADER:\n  NUM_WORKERS: 4\n  FILTER_EMPTY_ANNOTATIONS: {value}\n"
    one = _one(tmp_path, "a.yaml", text)
    assert (one.effect, _text(one)) == (effect, f"FILTER_EMPTY_ANNOTATIONS: {value}")


def test_detectron2_names_the_section_to_add_it_to(tmp_path: Path) -> None:
    one = _one(tmp_path, "a.yaml", f"{BASE_RCNN}DATALOADER:\n  NUM_WORKERS: 4\n")
    assert (one.effect, _text(one), one.change) == (
        DROPPED, "NUM_WORKERS: 4", "add: FILTER_EMPTY_ANNOTATIONS: False",
    )  # fmt: skip


def test_a_base_of_detectron2_is_followed_and_overruled(tmp_path: Path) -> None:
    base = tmp_path / "Base-RCNN-FPN.yaml"
    base.write_text(f"{BASE_RCNN}DATALOADER: {{FILTER_EMPTY_ANNOTATIONS: False}}\n")
    one = _one(tmp_path, "COCO/a.yaml", RCNN)
    assert (one.effect, one.file.resolve(), one.line) == (KEPT, base, 5)
    one = _one(tmp_path, "COCO/a.yaml", f"{RCNN}DATALOADER: {{FILTER_EMPTY_ANNOTATIONS: True}}\n")
    assert (one.effect, one.line) == (DROPPED, 5)
    base.unlink()
    one = _one(tmp_path, "COCO/a.yaml", RCNN)
    assert one.effect is DROPPED
    assert "The base '../Base-RCNN-FPN.yaml' is not here" in one.said


def test_a_tag_of_python_is_not_obeyed(tmp_path: Path) -> None:
    one = _one(tmp_path, "a.yaml", f"{BASE_RCNN}X: !!python/object/apply:os.system ['touch {tmp_path}/made']\n")
    assert one.effect is DROPPED
    assert not (tmp_path / "made").exists()


def test_a_lazy_configuration(tmp_path: Path) -> None:
    one = _one(tmp_path, "a.py", LAZY)
    assert (one.effect, _text(one)) == (
        DROPPED, 'dataset=L(get_detection_dataset_dicts)(names="coco_2017_train"),',
    )  # fmt: skip
    one = _one(tmp_path, "a.py", LAZY.replace('"coco_2017_train"', '"coco_2017_train", filter_empty=False'))
    assert one.effect is KEPT
    one = _one(tmp_path, "a.py", f"{LAZY}dataloader.train.dataset.filter_empty = False\n")
    assert (one.effect, _text(one)) == (KEPT, "dataloader.train.dataset.filter_empty = False")


def test_a_lazy_configuration_that_imports_another(tmp_path: Path) -> None:
    one = _one(tmp_path, "configs/COCO/fcos.py", f"import detectron2\n{FCOS}")
    assert (one.effect, one.line, one.change) == (
        DROPPED, None, "add: dataloader.train.dataset.filter_empty = False",
    )  # fmt: skip
    base = tmp_path / "configs/common/data/coco.py"
    base.parent.mkdir(parents=True)
    base.write_text(LAZY)
    one = _one(tmp_path, "configs/COCO/fcos.py", FCOS)
    assert (one.effect, one.file.resolve()) == (DROPPED, base)
    assert one.change == "add to fcos.py: dataloader.train.dataset.filter_empty = False"
    one = _one(tmp_path, "configs/COCO/fcos.py", f"{FCOS}dataloader.train.dataset.filter_empty = False\n")
    assert one.effect is KEPT


def test_a_script_of_detectron2(tmp_path: Path) -> None:
    script = "from detectron2.config import get_cfg\ncfg = get_cfg()\n"
    one = _one(tmp_path, "train.py", script)
    assert (one.effect, one.change) == (DROPPED, "add: cfg.DATALOADER.FILTER_EMPTY_ANNOTATIONS = False")
    one = _one(tmp_path, "train.py", f"{script}cfg.DATALOADER.FILTER_EMPTY_ANNOTATIONS = False\n")
    assert (one.effect, one.line) == (KEPT, 3)


def test_a_command_line_of_detectron2(tmp_path: Path) -> None:
    line = "./tools/train_net.py --config-file a.yaml MODEL.MASK_ON False"
    assert _one(tmp_path, "run.sh", line).effect is UNKNOWN
    one = _one(tmp_path, "run.sh", f"{line} \\\n  DATALOADER.FILTER_EMPTY_ANNOTATIONS False\n")
    assert (one.effect, one.line) == (KEPT, 2)


# MMDetection


def test_mmdetection_3_drops_them_where_it_says_so(tmp_path: Path) -> None:
    one = _one(tmp_path, "a.py", COCO_DETECTION)
    assert (one.effect, _text(one)) == (DROPPED, "filter_cfg=dict(filter_empty_gt=True, min_size=32),")
    assert (one.change, one.counts) == ("filter_empty_gt=False", "annotations")
    assert _one(tmp_path, "a.py", COCO_DETECTION.replace("gt=True, min", "gt=False, min")).effect is KEPT
    assert _one(tmp_path, "a.py", COCO_DETECTION.replace("filter_empty_gt=True, ", "")).effect is KEPT


def test_what_mmdetection_inherits_is_found_where_it_stands(tmp_path: Path) -> None:
    base = tmp_path / "_base_/datasets/coco_detection.py"
    base.parent.mkdir(parents=True)
    base.write_text(COCO_DETECTION)
    child = "_base_ = ['../_base_/datasets/coco_detection.py']\ntrain_dataloader = dict(batch_size=8)\n"
    one = _one(tmp_path, "mine/a.py", child)
    assert (one.effect, one.file.resolve(), one.line) == (DROPPED, base, 9)
    over = child + "train_dataloader = dict(dataset=dict(filter_cfg=dict(filter_empty_gt=False)))\n"
    one = _one(tmp_path, "mine/a.py", over)
    assert (one.effect, one.file.name, one.line) == (KEPT, "a.py", 3)
    gone = child + "train_dataloader = dict(dataset=dict(_delete_=True, type='CocoDataset'))\n"
    assert _one(tmp_path, "mine/a.py", gone).effect is KEPT


def test_the_newer_style_of_mmdetection(tmp_path: Path) -> None:
    base = tmp_path / "_base_/datasets/coco_detection.py"
    base.parent.mkdir(parents=True)
    base.write_text(COCO_DETECTION)
    text = (
        "from mmengine.config import read_base\n\n"
        "with read_base():\n    from .._base_.datasets.coco_detection import *\n\n"
        "train_dataloader.batch_size = 4\n"
    )
    assert _one(tmp_path, "mine/a.py", text).effect is DROPPED
    text += "train_dataloader.dataset.filter_cfg.filter_empty_gt = False\n"
    one = _one(tmp_path, "mine/a.py", text)
    assert (one.effect, one.line) == (KEPT, 7)


def test_a_base_of_mmdetection_that_is_not_here(tmp_path: Path) -> None:
    one = _one(
        tmp_path, "a.py", "_base_ = './faster-rcnn_r50_fpn_1x_coco.py'\nmodel = dict(backbone=dict(depth=101))\n"
    )
    assert one.effect is UNKNOWN
    assert "The base './faster-rcnn_r50_fpn_1x_coco.py' is not here" in one.said


def test_mmdetection_2_drops_them_by_default(tmp_path: Path) -> None:
    one = _one(tmp_path, "a.py", VERSION_2)
    assert (one.effect, _text(one)) == (DROPPED, "dataset=dict(type=dataset_type, ann_file='train.json')),")
    kept = VERSION_2.replace("'train.json'", "'train.json', filter_empty_gt=False")
    assert _one(tmp_path, "a.py", kept).effect is KEPT


def test_several_data_sets_are_looked_at_each(tmp_path: Path) -> None:
    text = (
        "train_dataloader = dict(dataset=dict(type='ConcatDataset', datasets=[\n"
        "    dict(type='VOCDataset', filter_cfg=dict(filter_empty_gt=True)),\n"
        "    dict(type='VOCDataset', filter_cfg=dict(filter_empty_gt=False))]))\n"
    )
    assert [(one.effect, one.line) for one in _found(tmp_path, "a.py", text)] == [(DROPPED, 2), (KEPT, 3)]


@pytest.mark.parametrize("weights", ["torchvision://resnet50", "open-mmlab://detectron2/resnet50_caffe"])
def test_weights_do_not_say_whose_a_configuration_is(tmp_path: Path, weights: str) -> None:
    (tmp_path / "a.py").write_text(f"{COCO_DETECTION}model = dict(init_cfg=dict(checkpoint='{weights}'))\n")
    assert check(tmp_path / "a.py").trainer == "MMDetection"


def test_ssd_of_mmdetection_gives_no_loss(tmp_path: Path) -> None:
    data, loss = _found(tmp_path, "a.py", COCO_DETECTION.replace("gt=True", "gt=False") + SSD300)
    assert (data.effect, loss.effect, _text(loss)) == (KEPT, NO_LOSS, "neg_pos_ratio=3))")


@pytest.mark.parametrize(("bound", "effects"), [(-1, [KEPT]), (3, [KEPT, FEW]), (0, [KEPT, NO_LOSS])])
def test_a_bound_on_negatives(tmp_path: Path, bound: int, effects: list[Effect]) -> None:
    text = (
        "train_dataloader = dict(dataset=dict(type='CocoDataset'))\n"
        f"model = dict(train_cfg=dict(rpn=dict(sampler=dict(type='RandomSampler', num=256, neg_pos_ub={bound}))))\n"
    )
    assert [one.effect for one in _found(tmp_path, "a.py", text)] == effects


def test_nothing_of_a_configuration_is_run(tmp_path: Path) -> None:
    text = f"open({str(tmp_path / 'made')!r}, 'w').close()\nbatch = max(1, 2)\n{COCO_DETECTION}"
    assert _one(tmp_path, "a.py", text).effect is DROPPED
    assert not (tmp_path / "made").exists()


def test_values_are_those_that_python_gives(tmp_path: Path) -> None:
    text = "a = dict(x=1, **{'y': [1, -2.5, 'z']})\nb = [a, {'q': a['x'], 'r': None}]\nb = {'a': a, 'c': (True,)}\n"
    (tmp_path / "a.py").write_text(text)
    expected: dict[str, object] = {}
    exec(text, expected)  # a text of this test

    def plain(value: object) -> object:
        of = value.of  # type: ignore[attr-defined]
        if isinstance(of, dict):
            return {name: plain(one) for name, one in of.items()}
        return [plain(one) for one in of] if isinstance(of, list) else of

    assert plain(config_of(source_of(tmp_path / "a.py")).names["b"]) == {"a": expected["a"], "c": [True]}
    assert ast.parse(text)


# torchvision


def test_the_reference_of_torchvision_drops_them(tmp_path: Path) -> None:
    one = _one(tmp_path, "coco_utils.py", COCO_UTILS)
    assert (one.effect, _text(one)) == (DROPPED, "dataset = _coco_remove_images_without_annotations(dataset)")
    train = "import torchvision\nfrom coco_utils import get_coco\n\ndataset = get_coco('.', 'train', None)\n"
    one = _one(tmp_path, "train.py", train)
    assert (one.effect, one.file.name) == (DROPPED, "coco_utils.py")
    (tmp_path / "coco_utils.py").unlink()
    one = _one(tmp_path, "train.py", train)
    assert (one.effect, one.line) == (DROPPED, 4)


def test_a_script_of_ones_own_keeps_them(tmp_path: Path) -> None:
    text = "import torchvision\nmodel = torchvision.models.detection.fasterrcnn_resnet50_fpn()\n"
    assert _one(tmp_path, "mine.py", text).effect is KEPT
    loss, data = _found(tmp_path, "mine.py", text.replace("fasterrcnn_resnet50_fpn", "ssdlite320_mobilenet_v3_large"))
    assert (loss.effect, loss.line, data.effect) == (NO_LOSS, 2, KEPT)


def test_a_command_line_of_torchvision(tmp_path: Path) -> None:
    data, loss = _found(tmp_path, "run.sh", COMMAND)
    assert (data.effect, data.line, loss.effect, loss.line) == (DROPPED, 4, NO_LOSS, 4)
    one = _one(tmp_path, "run.sh", "python train.py --model=retinanet_resnet50_fpn\n")
    assert one.effect is DROPPED  # coco is the default
    assert _one(tmp_path, "run.sh", "python train.py --dataset mine\n").effect is UNKNOWN


# Ultralytics


def test_ultralytics_keeps_them(tmp_path: Path) -> None:
    assert _one(tmp_path, "data.yaml", DATA_YAML).effect is KEPT
    kept, part = _found(tmp_path, "args.yaml", "task: detect\nmodel: yolo11n.pt\ndata: a.yaml\nfraction: 0.5\n")
    assert (kept.effect, part.effect, part.line) == (KEPT, UNKNOWN, 4)


# What cannot be checked


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (
            "a.yaml",
            "hello: 1\n",
            "This is no configuration that is known. Looked for torchvision's reference training:",
        ),
        ("a.py", "print('hello')\n", "no configuration that is known"),
        ("a.txt", "hello\n", "no configuration that is known"),
        ("a.yaml", "", "no configuration that is known"),
        ("a.yaml", "MODEL: [1\n", "a.yaml, line 2: It is not YAML"),
        ("a.py", "import torchvision\nmodel = (\n", "a.py, line 2: It is not Python"),
        ("a.py", "_base_ = 'a.py'\n", "It is its own base."),
        ("a.yaml", "_BASE_: a.yaml\n", "It is its own base."),
    ],
)
def test_what_is_no_configuration(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=said):
        check(tmp_path / name)


def test_a_checkpoint_is_no_configuration(tmp_path: Path) -> None:
    (tmp_path / "a.pt").write_bytes(b"\x80\x02\xff\xfe")
    with pytest.raises(InputError, match=r"It is not UTF-8 text\. Give a configuration, not a checkpoint"):
        check(tmp_path / "a.pt")
    with pytest.raises(InputError, match="There is no such file"):
        check(tmp_path / "b.yaml")


# How many images


def test_images_are_counted_of_a_run_and_of_its_exports(tmp_path: Path) -> None:
    run = mined(tmp_path)
    export(run, "coco", tmp_path / "out.json")
    export(run, "yolo", tmp_path / "out")
    for path in (run.path, tmp_path / "out.json", tmp_path / "out"):
        counts = image_counts(path)
        assert counts["images"] == 6
        assert counts["images_without_boxes"] == 3  # 2, 4 and 6
        assert counts["images_without_annotations"] == 1  # 4: in 2 is a suspect, in 6 a crowd
        assert counts["images_without_boxes_with_negatives"] == 1
        assert counts["images_without_annotations_with_negatives"] == 0


def test_what_has_no_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="neither a run nor an export"):
        image_counts(tmp_path)
    run = labelled(tmp_path)
    export(run, "index", tmp_path / "index.csv")
    with pytest.raises(InputError, match="holds no images with boxes"):
        image_counts(tmp_path / "index.csv")
    with pytest.raises(InputError, match="needs a mining of detections"):
        image_counts(run.path)
