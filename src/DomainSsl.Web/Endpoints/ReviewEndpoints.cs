using DomainSsl.Core;
using DomainSsl.Core.People;
using DomainSsl.Core.Review;

namespace DomainSsl.Web.Endpoints;

/// <summary>What the review page asks for and sends while a person decides on predictions.</summary>
public static class ReviewEndpoints
{
    /// <summary>A decision as the page sends it.</summary>
    /// <param name="Key">Unique to the decision: sent twice, it is stored once.</param>
    /// <param name="Prediction">The prediction.</param>
    /// <param name="Decision"><c>accept</c>, <c>correct</c>, <c>refer</c> or <c>withdrawn</c>.</param>
    /// <param name="ClassId">The right class, where it is corrected.</param>
    private sealed record DecisionBody(string? Key, long Prediction, string? Decision, long? ClassId);

    private sealed record UndoBody(string? Key);

    /// <summary>Maps them.</summary>
    public static void MapReviewEndpoints(this IEndpointRouteBuilder app)
    {
        var review = app.MapGroup("/api/review/{task:long}").RequireRoles(Roles.Anyone).WithRefusals();

        review.MapGet("/next", async (long task, int? count, string? hand, long? first, bool? referred, ReviewQueue queue, HttpContext context) =>
        {
            var cases = await queue.NextAsync(task, context.User.Identity!.Name!, count ?? 5, TaskEndpoints.Ids(hand), first, referred ?? false, context.RequestAborted);
            return Results.Ok(new { cases, progress = await queue.ProgressAsync(task, context.RequestAborted) });
        });

        review.MapPost("/decisions", async (long task, DecisionBody body, ReviewQueue queue, HttpContext context) =>
        {
            var decision = body.Decision switch
            {
                "accept" => ReviewDecision.Accept,
                "correct" => ReviewDecision.Correct,
                "refer" => ReviewDecision.Refer,
                "withdrawn" => ReviewDecision.Withdrawn,
                _ => throw new RefusedException("decision-unknown", "The decision could not be understood and was not stored; load the page again."),
            };
            var receipt = await queue.DecideAsync(body.Prediction, decision, body.ClassId, context.User.Identity!.Name!, body.Key ?? "", CancellationToken.None);
            return Results.Ok(new { prediction = receipt.PredictionId, again = receipt.Again, progress = await queue.ProgressAsync(task) });
        }).WithFormToken();

        review.MapPost("/undo", async (long task, UndoBody body, ReviewQueue queue, HttpContext context) =>
        {
            var receipt = await queue.UndoAsync(task, context.User.Identity!.Name!, body.Key ?? "", CancellationToken.None);
            return Results.Ok(new { prediction = receipt.PredictionId, again = receipt.Again, progress = await queue.ProgressAsync(task) });
        }).WithFormToken();
    }
}
