package dev.countersign.server.egress;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import java.net.URI;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * One call to another server.
 *
 * @param method GET, HEAD, POST, PUT, PATCH or DELETE
 * @param uri an absolute http or https URL; {@link EgressRules} say whether it may be called
 * @param headers only of the names in {@link #HEADERS}, in any case; values in printable ASCII
 * @param body at most {@link #MAX_BODY_BYTES}; empty for none
 * @param timeout from the resolving of the name to the last byte of the answer
 * @param maxAnswerBytes a longer body fails the call
 */
public record Call(
        HttpMethod method, URI uri, Map<String, String> headers, Buffer body, Duration timeout, int maxAnswerBytes) {
    /** The most bytes that a call may send as its body. */
    public static final int MAX_BODY_BYTES = 1 << 20;

    /** The headers that a call may set; all others are the client's own or nobody's. */
    public static final Set<String> HEADERS = Set.of(
            "accept",
            "accept-language",
            "authorization",
            "content-type",
            "idempotency-key",
            "if-modified-since",
            "if-none-match",
            "traceparent",
            "tracestate",
            "user-agent",
            "webhook-id",
            "webhook-key-id",
            "webhook-signature",
            "webhook-timestamp",
            "x-api-key",
            "x-request-id");

    private static final Set<String> METHODS = Set.of("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE");

    /**
     * Such a call.
     *
     * @throws IllegalArgumentException if a part is not as described; no message holds the value of a header
     */
    public Call {
        headers = Map.copyOf(headers);
        if (!METHODS.contains(method.name())) {
            throw new IllegalArgumentException("a call has one of the methods " + METHODS + ", not " + method.name());
        }
        headers.forEach((name, value) -> {
            if (!HEADERS.contains(name.toLowerCase(Locale.ROOT))) {
                throw new IllegalArgumentException("a call may not set the header `" + visible(name) + "`");
            }
            if (!value.chars().allMatch(c -> c >= ' ' && c <= '~')) {
                throw new IllegalArgumentException(
                        "the header `" + name + "` holds a character that is not printable ASCII");
            }
        });
        if (body.length() > MAX_BODY_BYTES) {
            throw new IllegalArgumentException("the body has " + body.length() + " bytes, more than " + MAX_BODY_BYTES);
        }
        if (timeout.isNegative() || timeout.toMillis() == 0) {
            throw new IllegalArgumentException("the timeout is shorter than a millisecond");
        }
        if (maxAnswerBytes < 0) {
            throw new IllegalArgumentException("the limit of the answer is negative");
        }
    }

    private static String visible(String name) {
        return name.replaceAll("[^!-~]", "?");
    }
}
