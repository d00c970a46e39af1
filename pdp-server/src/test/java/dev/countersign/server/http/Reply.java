package dev.countersign.server.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.http.HttpHeaders;
import java.net.http.HttpResponse;
import java.util.List;

/** What a server answered. */
public record Reply(int status, HttpHeaders headers, String body) {
    private static final ObjectMapper JSON = new ObjectMapper();

    static Reply of(HttpResponse<String> response) {
        return new Reply(response.statusCode(), response.headers(), response.body());
    }

    /** The first value of a header, or the empty string. */
    public String header(String name) {
        return headers.firstValue(name).orElse("");
    }

    /** The body as JSON; an error of the test if it is none. */
    public JsonNode json() {
        return parse(body);
    }

    /** The body as one value of JSON a line. */
    public List<JsonNode> lines() {
        return body.lines().map(Reply::parse).toList();
    }

    /** The boolean of an AuthZEN answer, which must be there and be a boolean. */
    public boolean decision() {
        return decision(json());
    }

    /** The boolean of one decision, which must be there and be a boolean. */
    public static boolean decision(JsonNode decision) {
        if (!decision.path("decision").isBoolean()) {
            throw new AssertionError("no boolean decision in " + decision);
        }
        return decision.get("decision").booleanValue();
    }

    /** A text as JSON. */
    public static JsonNode parse(String json) {
        try {
            return JSON.readTree(json);
        } catch (JsonProcessingException e) {
            throw new AssertionError("not JSON: " + json, e);
        }
    }
}
