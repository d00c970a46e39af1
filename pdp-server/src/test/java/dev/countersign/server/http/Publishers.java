package dev.countersign.server.http;

/** The keys of a tenant of its own: of two who publish, one who writes and one who decides. */
record Publishers(String first, String second, String author, String decide) {
    static Publishers of(RunningServer server, RunningServer other, String id) {
        String admin = Managing.tenant(server, id);
        return new Publishers(
                key(server, other, admin, "first", "Ann", "policy.publish\", \"policy.read"),
                key(server, other, admin, "second", "Ben", "policy.publish"),
                key(server, other, admin, "author", "Cid", "policy.write"),
                key(server, other, admin, "pep", null, "decide"));
    }

    private static String key(
            RunningServer server, RunningServer other, String admin, String name, String person, String roles) {
        String body = "{\"name\": \"" + name + "\", \"roles\": [\"" + roles + "\"]"
                + (person == null ? "" : ", \"person\": \"" + person + "\"") + "}";
        String secret = Managing.made(server.post("/api/v1/keys", admin, body))
                .path("secret")
                .asText();
        RunningServer.until(
                "the other server knows the key",
                () -> other.get("/api/v1/decisions", secret).status() != 401);
        return secret;
    }
}
