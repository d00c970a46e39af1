package dev.countersign.server.webhooks;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;

/**
 * An event in a sentence, as Slack takes it. It says who, what and on what, and never the arguments of a call, nor reasons and
 * notes, which may cite them.
 */
final class SlackText {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int CUT = 200;

    private SlackText() {}

    /**
     * The body for a CloudEvent.
     *
     * @throws JsonProcessingException if it is not JSON
     */
    static String body(String event) throws JsonProcessingException {
        JsonNode read = JSON.readTree(event);
        return JsonNodeFactory.instance
                .objectNode()
                .put("text", sentence(read.path("type").asText(), read.path("data")))
                .toString();
    }

    private static String sentence(String type, JsonNode data) {
        String call = text(data, "action") + " on " + text(data, "resource_type") + ":" + text(data, "resource_id");
        String who = text(data, "subject_type") + ":" + text(data, "subject_id");
        String request = " (request " + text(data, "request_id") + ")";
        return switch (type) {
            case "policy.denied" -> who + " was denied " + call + by(data, "policy_id", " by ");
            case "policy.requires_approval" -> who + " needs approval for " + call + by(data, "policy_id", " by ");
            case "approval.requested" -> "Approval is asked for: " + who + " wants " + call + request;
            case "approval.reviewed" -> "One approves, more have to: " + who + " wants " + call + request;
            case "approval.escalated" ->
                "Waits for long, " + text(data, "escalated_to") + " may approve too: " + who + " wants " + call
                        + request;
            case "approval.reassigned" -> "Another person reviews: " + who + " wants " + call + request;
            case "approval.relayed" -> "Said elsewhere and relayed: " + who + " wants " + call + request;
            case "approval.approved" -> "Approved: " + who + " may do " + call + " once" + request;
            case "approval.break_glass" ->
                "Approved by one person alone: " + who + " may do " + call + " once" + request;
            case "approval.break_glass_reviewed" ->
                "Found " + text(data, "verdict") + " to have been approved alone: " + who + " wanted " + call + request;
            case "approval.denied" -> "Refused: " + who + " wanted " + call + request;
            case "approval.expired" -> "Not decided in time: " + who + " wanted " + call + request;
            case "approval.cancelled" -> "Cancelled: " + who + " wanted " + call + request;
            case "approval.reserved" -> "Begun: " + who + " does " + call + request;
            case "approval.consumed" -> "Used: " + who + " did " + call + request;
            case "approval.freed" -> "Not begun, may be tried again: " + who + " may do " + call + request;
            case "approval.revoked" -> "Taken back: " + who + " may no more do " + call + request;
            case "approval.lapsed" -> "Not used in time: " + who + " may no more do " + call + request;
            case "approval.in_doubt" -> "Nobody knows whether it ran: " + who + " was let do " + call + request;
            default -> "Event " + safe(type);
        };
    }

    private static String by(JsonNode data, String member, String words) {
        return data.hasNonNull(member) ? words + text(data, member) : "";
    }

    private static String text(JsonNode data, String member) {
        return data.hasNonNull(member) ? safe(data.get(member).asText()) : "?";
    }

    /** Text that is nothing but text to Slack: no link, no mention, no second line. */
    private static String safe(String text) {
        String cut = text.codePointCount(0, text.length()) <= CUT
                ? text
                : text.substring(0, text.offsetByCodePoints(0, CUT)) + "\u2026";
        return cut.replaceAll("\\p{Cntrl}|[\u2028\u2029\u202a-\u202e\u2066-\u2069]", " ")
                .replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;");
    }
}
