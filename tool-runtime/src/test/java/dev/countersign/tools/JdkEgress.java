package dev.countersign.tools;

import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;

/** A way out over real sockets, with the failures that the JDK's client really has. */
final class JdkEgress implements Egress {
    private final HttpClient client = HttpClient.newHttpClient();

    @Override
    public CompletionStage<EgressResponse> send(EgressRequest request) {
        HttpRequest.Builder out = HttpRequest.newBuilder(request.uri())
                .timeout(request.timeout())
                .method(request.method(), HttpRequest.BodyPublishers.ofByteArray(request.body()));
        request.headers().forEach(out::header);
        return client.sendAsync(out.build(), HttpResponse.BodyHandlers.ofByteArray())
                .thenApply(answer -> new EgressResponse(
                        answer.statusCode(),
                        answer.headers().map().entrySet().stream()
                                .collect(Collectors.toMap(
                                        header -> header.getKey(),
                                        header -> header.getValue().get(0))),
                        answer.body()));
    }
}
