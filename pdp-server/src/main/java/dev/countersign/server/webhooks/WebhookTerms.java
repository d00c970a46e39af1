package dev.countersign.server.webhooks;

import dev.countersign.rules.facts.Worded;
import java.net.URI;
import java.util.List;
import java.util.regex.Pattern;

/**
 * What somebody wants of a webhook. Whether its URL may be called is for {@code EgressRules} to say.
 *
 * @param url an absolute http or https URL of at most {@value #MAX_URL} characters
 * @param eventTypes 1 to {@value #MAX_TYPES} of: a type as {@code policy.denied}, all below a prefix as {@code approval.*},
 *     or {@code *} for all
 */
public record WebhookTerms(URI url, Format format, List<String> eventTypes) {
    /** The most characters of a URL. */
    public static final int MAX_URL = 2_000;

    /** The most patterns of types. */
    public static final int MAX_TYPES = 50;

    private static final Pattern TYPE = Pattern.compile("\\*|[a-z0-9_]{1,50}(\\.[a-z0-9_]{1,50}){0,4}(\\.\\*)?");

    /** What a receiver gets as the body. */
    public enum Format implements Worded {
        /** The CloudEvent. */
        STANDARD,
        /** A sentence, as Slack's incoming webhooks and their likes take it. */
        SLACK
    }

    /**
     * Those terms.
     *
     * @throws IllegalArgumentException if one is not as described
     */
    public WebhookTerms {
        eventTypes = List.copyOf(eventTypes);
        if (url.getHost() == null || !("https".equals(url.getScheme()) || "http".equals(url.getScheme()))) {
            throw new IllegalArgumentException("the URL is not an absolute https URL");
        }
        if (url.toString().length() > MAX_URL) {
            throw new IllegalArgumentException("the URL is longer than " + MAX_URL + " characters");
        }
        if (eventTypes.isEmpty() || eventTypes.size() > MAX_TYPES) {
            throw new IllegalArgumentException("a webhook is of 1 to " + MAX_TYPES + " types of events");
        }
        for (String type : eventTypes) {
            if (!TYPE.matcher(type).matches()) {
                throw new IllegalArgumentException(
                        "`" + type + "` is neither a type of events nor a prefix followed by .*");
            }
        }
    }
}
