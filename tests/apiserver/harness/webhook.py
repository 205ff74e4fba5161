"""A mutating admission webhook: HTTPS on loopback, and its registration."""
import base64
import http.server
import json
import ssl
import tempfile
import threading

from .certificates import Authority


class Webhook:
    """`patch(object)` gives the JSON patch (RFC 6902) for each object of the resource that is made or changed."""
    CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"

    def __init__(self, api, resource, group, patch):
        self.api = api
        self.folder = tempfile.TemporaryDirectory(prefix="egress-webhook-")
        authority = Authority(self.folder.name)
        certificate, key = (f"{self.folder.name}/{name}" for name in ("server.crt", "server.key"))
        authority.issue(certificate, key)
        with open(authority.certificate, "rb") as file:
            trusted = base64.b64encode(file.read()).decode()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.answering(patch))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.api.create(self.CONFIGURATIONS, {
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
            "metadata": {"name": "of-the-test"},
            "webhooks": [{
                "name": "of.the.test", "sideEffects": "None", "admissionReviewVersions": ["v1"],
                "clientConfig": {"url": f"https://127.0.0.1:{self.server.server_port}/",
                                 "caBundle": trusted},
                "rules": [{"apiGroups": [group], "apiVersions": ["*"], "operations": ["CREATE", "UPDATE"], "resources": [resource]}],
            }],
        })

    @staticmethod
    def answering(patch):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["request"]
                changes = base64.b64encode(json.dumps(patch(request["object"])).encode()).decode()
                body = json.dumps({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": {
                    "uid": request["uid"], "allowed": True, "patchType": "JSONPatch", "patch": changes}}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        return Handler

    def stop(self):
        self.api.delete(f"{self.CONFIGURATIONS}/of-the-test")
        self.server.shutdown()
        self.server.server_close()
        self.folder.cleanup()
