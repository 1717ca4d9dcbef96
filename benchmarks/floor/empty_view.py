"""The statements in a DRF view that does nothing else, without middleware."""

from django.db import connection
from django.urls import re_path
from rest_framework.response import Response
from rest_framework.views import APIView

from .sql import answer


def execute(sql, params):
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchone() if cursor.description else None


class EmptyView(APIView):
    authentication_classes = ()
    permission_classes = ()

    def post(self, request):
        return Response(answer(request.path, request.data, "", execute))

    def get(self, request):
        bearer = request.headers["Authorization"].removeprefix("Bearer ")
        return Response(answer(request.path, {}, bearer, execute))


urlpatterns = [re_path("^api/", EmptyView.as_view())]
