package dev.countersign.server.tooling;

import dev.countersign.server.egress.Answer;
import dev.countersign.server.egress.Call;
import dev.countersign.server.egress.Egress;
import dev.countersign.server.egress.RefusedDestinationException;
import dev.countersign.tools.EgressRequest;
import dev.countersign.tools.EgressResponse;
import dev.countersign.tools.ToolFailure;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import java.util.HashMap;
import java.util.concurrent.CompletionStage;

/** The way out for tools: the server's own. */
public record ToolEgress(Egress egress) implements dev.countersign.tools.Egress {
    @Override
    public CompletionStage<EgressResponse> send(EgressRequest request) {
        try {
            var call = new Call(
                    HttpMethod.valueOf(request.method()),
                    request.uri(),
                    request.headers(),
                    Buffer.buffer(request.body()),
                    request.timeout(),
                    request.maxAnswerBytes());
            return egress.send(call)
                    .map(ToolEgress::answer)
                    .recover(failure -> Future.failedFuture(
                            failure instanceof RefusedDestinationException
                                    ? ToolFailure.refused(String.valueOf(failure.getMessage()))
                                    : failure))
                    .toCompletionStage();
        } catch (IllegalArgumentException e) {
            return Future.<EgressResponse>failedFuture(ToolFailure.refused(String.valueOf(e.getMessage())))
                    .toCompletionStage();
        }
    }

    private static EgressResponse answer(Answer answer) {
        var headers = new HashMap<String, String>();
        answer.headers().forEach((name, values) -> headers.put(name, values.get(0)));
        return new EgressResponse(answer.status(), headers, answer.body().getBytes());
    }
}
