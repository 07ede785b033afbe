"""The front page."""

from flask import Blueprint, render_template

blueprint = Blueprint("front", __name__)


@blueprint.get("/")
def index():
    return render_template("front/index.html")
