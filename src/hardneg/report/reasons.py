"""What each reason means, for a reader who has not seen the filters."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["REASONS", "SKIPPED", "Meaning", "meaning", "skipped_meaning"]


class Meaning(NamedTuple):
    """A reason in words.

    ``figure`` words the evidence: ``{}`` stands for the number, ``{gap}`` for a difference to the positive, such
    as "0.012 below"; empty where the number says nothing. ``relax`` says what would let such candidates through.
    """

    title: str
    sentence: str
    figure: str = ""
    relax: str = ""


_MARGIN = "{gap} the positive"
_JUDGE = "the judge scores it {gap} the positive"

REASONS: dict[str, Meaning] = {
    "known.self": Meaning("The anchor itself", "An anchor cannot be its own negative."),
    "known.positive": Meaning("Known positive", "The data say that this is a right answer."),
    "known.ignored": Meaning("To be ignored", "The data ask to leave this pair alone."),
    "known.barred": Meaning("Barred item", "This item may never be mined: it is in a list or a split to leave out."),
    "known.shared_positive": Meaning(
        "Answer of a sibling",
        "A positive of another anchor that shares a positive with this one, so it may well answer both.",
        relax="known(shared=false) lets these through",
    ),
    "duplicates.anchor_text": Meaning("Copy of the anchor", "Its content only repeats the anchor's."),
    "duplicates.positive_text": Meaning(
        "Copy of a positive", "Its content is that of a positive; of a text, but for case, spacing and punctuation."
    ),
    "duplicates.repeated_text": Meaning(
        "Repeated content", "The same content is a candidate already, under another id; one copy is enough."
    ),
    "duplicates.near_copy": Meaning(
        "Near-copy of a positive",
        "It is so similar to a positive that it is probably the same.",
        "{} similar to a positive",
        "raise 'similarity' in duplicates",
    ),
    "duplicates.near_repeat": Meaning(
        "Near-repeat of a candidate",
        "It is so similar to a harder candidate of the same anchor that one of them is enough.",
        "{} similar to that candidate",
        "raise 'among' in duplicates",
    ),
    "calibrated.likely_positive": Meaning(
        "Likely a new positive",
        "It looks like known positives do when they are hidden: likelier a positive that nobody wrote down than not.",
        "a positive with probability {}",
        "review these: hardneg export RUN --format new-positives",
    ),
    "calibrated.unsure": Meaning(
        "May be a positive",
        "Among candidates like this one so many are unknown positives that the wanted rate would be exceeded.",
        "a positive with probability {}",
        "raise 'false_negatives' in calibrated",
    ),
    "mislabelled.likely_mislabelled": Meaning(
        "Likely labelled wrongly",
        "Models that had not seen its label find it likelier than not that it is of the anchor's class.",
        "of the anchor's class with probability {}",
        "review these labels",
    ),
    "mislabelled.unsure": Meaning(
        "Label in doubt",
        "It may be of the anchor's class: too likely to train on as a negative, not likely enough to call it wrong.",
        "of the anchor's class with probability {}",
        "raise 'negative' in mislabelled",
    ),
    "mislabelled.anchor_likely_mislabelled": Meaning(
        "Anchor likely labelled wrongly",
        "The anchor's own label is in doubt, and so are its positives and all that was found for it.",
        "the anchor's label is wrong with probability {}",
        "correct the anchor's label",
    ),
    "unlabelled.likely_positive": Meaning(
        "Likely of the anchor's class",
        "It has no label, and looks like the members of the anchor's class, and of no other.",
        "more typical of the class than {} of its members",
        "label some of these",
    ),
    "unlabelled.unsure": Meaning(
        "Class unknown",
        "It has no label, and it cannot be told whether it is of the anchor's class.",
        "more typical of the class than {} of its members",
        "raise 'error' in unlabelled",
    ),
    "missing_label.frames": Meaning(
        "Labelled in the frames around",
        "Nothing is labelled here, and at least half of the frames around have the category labelled at this place.",
        "labelled in {} of the frames around",
        "label it in this frame too",
    ),
    "missing_label.likely": Meaning(
        "Label likely missing",
        "The detector found something where nothing is labelled, and it is likely a thing of the category.",
        "a thing with probability {}",
        "label some of these",
    ),
    "missing_label.unsure": Meaning(
        "Negative or missing label: nobody knows",
        "The detector found something where nothing is labelled, and known things that were hidden look no better.",
        "looks more like a thing than {} of the labelled ones",
        "raise 'error' in missing_label",
    ),
    "margin.absolute": Meaning(
        "Too close to the positive",
        "It scores within the absolute margin of the positive, or above it: likely a positive itself.",
        _MARGIN,
        "lower 'absolute' in margin",
    ),
    "margin.relative": Meaning(
        "Too close to the positive",
        "It scores within the relative margin of the positive, or above it: likely a positive itself.",
        _MARGIN,
        "lower 'relative' in margin",
    ),
    "margin.ceiling": Meaning(
        "Above the ceiling",
        "It scores above the highest score allowed: likely a positive itself.",
        "scores {}",
        "raise 'ceiling' in margin",
    ),
    "rank.too_early": Meaning(
        "Among the first ranks",
        "Positives that nobody marked as such crowd at the first ranks, so these are skipped.",
        "rank {}",
        "lower 'skip' in rank",
    ),
    "rank.too_late": Meaning(
        "Too far down", "It comes too late in its source's list to be hard.", "rank {}", "raise 'within' in rank"
    ),
    "agreement.second_encoder": Meaning(
        "Second encoder objects",
        "Another encoder also puts it near the positive: likely a positive itself.",
        "there {gap} the positive",
        "lower 'margin' in agreement",
    ),
    "agreement.reciprocal": Meaning(
        "Mutual neighbours",
        "The item is near the anchor, and the anchor is among those nearest to the item.",
        "place {} in the item's list",
        "lower 'reciprocal' in agreement",
    ),
    "rescore.absolute": Meaning(
        "The judge objects",
        "A slower, better judge scores it within the absolute margin of the positive.",
        _JUDGE,
        "lower 'absolute' in rescore",
    ),
    "rescore.relative": Meaning(
        "The judge objects",
        "A slower, better judge scores it within the relative margin of the positive.",
        _JUDGE,
        "lower 'relative' in rescore",
    ),
    "rescore.ceiling": Meaning(
        "Above the judge's ceiling",
        "A slower, better judge scores it above the highest score allowed.",
        "above its ceiling, at {}",
        "raise 'ceiling' in rescore",
    ),
}

SKIPPED: dict[str, str] = {
    "anchor_without_positive": "Anchors that have no positive: there is nothing to compare a negative with.",
    "anchor_with_zero_vector": "Anchors whose vector is all zeros: they point nowhere, so nothing is near them.",
    "item_with_zero_vector": "Items whose vector is all zeros: they point nowhere, so they are near nothing.",
    "empty_text": "Rows without a text.",
    "broken_text": "Rows whose text holds nothing that can be read.",
    "duplicate_row": "Rows that only repeat another one.",
    "unknown_anchor": "Judgements of an anchor that the data do not hold.",
    "unknown_item": "Judgements of an item that the data do not hold.",
    "no_grade": "Judgements without a grade.",
    "no_positive": "Rows without a positive.",
    "other_split": "Judgements of another split.",
    "unused_judgement": "Judgements that no anchor in use needs.",
    "empty_file": "Pictures or sounds whose file is empty.",
    "missing_file": "Pictures or sounds whose file is not there.",
    "not_an_image": "Files that are no image.",
    "truncated_image": "Images that are cut short or damaged.",
    "image_too_large": "Images with more pixels than are read.",
    "not_audio": "Files that are no sound.",
    "truncated_audio": "Sounds that are cut short or damaged.",
    "zero_length": "Sounds without a single sample.",
    "out_of_range": "Clips that are not within their file.",
    "too_long": "Sounds that are longer than is read at once.",
    "unknown_excluded_id": "Ids to leave out that the data do not hold.",
}


def meaning(reason: str) -> Meaning:
    """The words for a reason; one that nobody described speaks for itself.

    >>> meaning("colour.too_blue").title
    'Colour: too blue'
    """
    if reason in REASONS:
        return REASONS[reason]
    name, _, rule = reason.replace("_", " ").partition(".")
    title = f"{name.capitalize()}: {rule}" if rule else name.capitalize()
    return Meaning(title, f"The rule '{reason}' decided.", "figure {}", f"change the step '{reason.partition('.')[0]}'")


def skipped_meaning(reason: str) -> str:
    """The words for a reason to leave a row out on reading."""
    return SKIPPED.get(reason, f"{reason.replace('_', ' ').capitalize()}.")
