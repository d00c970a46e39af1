package dev.countersign.rules.packs;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;

/**
 * A call of the airline's agent, recorded or held to be right.
 *
 * @param task which task of the benchmark
 * @param trial which conversation about it; -1 for what the authors hold to be right
 * @param seq which call of the conversation, from 0 on
 * @param reward 1 if the conversation left the bookings as the authors want them, else 0
 * @param user the customer
 * @param tool the tool
 * @param arguments its arguments
 * @param refused why the airline's own tool did nothing; empty if it did
 */
record AirlineCall(
        int task, int trial, int seq, int reward, String user, String tool, JsonNode arguments, String refused) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path DATA = Shipped.path("examples/airline/data");

    /** A conversation has the calls of one of these. */
    record Conversation(int task, int trial) {}

    Conversation conversation() {
        return new Conversation(task, trial);
    }

    /** The calls that the agent made, in their order. */
    static List<AirlineCall> recorded() throws IOException {
        Map<Conversation, Map<Integer, String>> refused = new HashMap<>();
        for (JsonNode line : lines("refused.jsonl")) {
            refused.computeIfAbsent(conversation(line), key -> new HashMap<>())
                    .put(line.get("seq").intValue(), line.get("said").textValue());
        }
        var out = new ArrayList<AirlineCall>();
        for (JsonNode line : lines("calls.jsonl")) {
            int seq = line.get("seq").intValue();
            out.add(new AirlineCall(
                    line.get("task").intValue(),
                    line.get("trial").intValue(),
                    seq,
                    line.get("reward").intValue(),
                    line.get("user").textValue(),
                    line.get("tool").textValue(),
                    line.get("arguments"),
                    refused.getOrDefault(conversation(line), Map.of()).getOrDefault(seq, "")));
        }
        return out;
    }

    /** The calls that the authors hold to be right, task by task. */
    static List<AirlineCall> expected() throws IOException {
        var out = new ArrayList<AirlineCall>();
        for (JsonNode task : lines("expected.jsonl")) {
            int number = task.get("task").intValue();
            String user = task.get("user").textValue();
            for (JsonNode action : task.get("actions")) {
                int seq = (int) out.stream().filter(call -> call.task == number).count();
                String tool = action.get("name").textValue();
                out.add(new AirlineCall(number, -1, seq, 1, user, tool, action.get("kwargs"), ""));
            }
        }
        return out;
    }

    /** The texts that stand under a name anywhere in the arguments. */
    List<String> texts(String name) {
        return StreamSupport.stream(arguments.findValues(name).spliterator(), false)
                .map(JsonNode::asText)
                .toList();
    }

    private static Conversation conversation(JsonNode line) {
        return new Conversation(line.get("task").intValue(), line.get("trial").intValue());
    }

    private static List<JsonNode> lines(String file) throws IOException {
        var out = new ArrayList<JsonNode>();
        for (String line : Files.readAllLines(DATA.resolve(file))) {
            out.add(JSON.readTree(line));
        }
        return out;
    }
}
