using DomainSsl.Core;
using DomainSsl.Core.People;
using DomainSsl.Core.Tasks;
using DomainSsl.Dicom;

namespace DomainSsl.Web.Endpoints;

/// <summary>What the labelling page asks for and sends while a clinician works: the next images, the answers.</summary>
public static class TaskEndpoints
{
    /// <summary>An answer as the page sends it.</summary>
    /// <param name="Key">Unique to the answer: sent twice, it is stored once.</param>
    /// <param name="Item">The item.</param>
    /// <param name="Answer"><c>class</c>, <c>notSure</c>, <c>skipped</c> or <c>withdrawn</c>.</param>
    /// <param name="ClassId">The class, where the answer is one.</param>
    private sealed record AnswerBody(string? Key, long Item, string? Answer, long? ClassId);

    private sealed record UndoBody(string? Key);

    /// <summary>Maps them.</summary>
    public static void MapTaskEndpoints(this IEndpointRouteBuilder app)
    {
        var tasks = app.MapGroup("/api/tasks/{task:long}").RequireRoles(Roles.AdminOrClinician).WithRefusals();

        tasks.MapGet("/next", async (long task, int? count, string? hand, long? first, TaskService service, HttpContext context) =>
        {
            var items = await service.NextItemsAsync(task, context.User.Identity!.Name!, count ?? 6, Ids(hand), first, context.RequestAborted);
            return Results.Ok(new { items = items.Select(i => new { item = i.ItemId, skipped = i.Skipped }), progress = Shown(await service.ProgressAsync(task, context.RequestAborted)) });
        });

        tasks.MapPost("/answers", async (long task, AnswerBody body, TaskService service, HttpContext context) =>
        {
            // Not the request's own token: an answer that has arrived is stored, whether or not the page still waits.
            var receipt = await service.AnswerAsync(task, body.Item, ParseAnswer(body.Answer), body.ClassId, context.User.Identity!.Name!, body.Key ?? "", CancellationToken.None);
            return Results.Ok(new { item = receipt.ItemId, again = receipt.Again, progress = Shown(await service.ProgressAsync(task)) });
        }).WithFormToken();

        tasks.MapPost("/undo", async (long task, UndoBody body, TaskService service, HttpContext context) =>
        {
            var receipt = await service.UndoAsync(task, context.User.Identity!.Name!, body.Key ?? "", CancellationToken.None);
            return Results.Ok(new { item = receipt.ItemId, again = receipt.Again, progress = Shown(await service.ProgressAsync(task)) });
        }).WithFormToken();
    }

    internal static long[] Ids(string? list) =>
        [.. (list ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries).Take(200).Select(id => long.TryParse(id, out var number) ? number : 0).Where(id => id > 0)];

    private static LabelAnswer ParseAnswer(string? answer) => answer switch
    {
        "class" => LabelAnswer.Class,
        "notSure" => LabelAnswer.NotSure,
        "skipped" => LabelAnswer.Skipped,
        "withdrawn" => LabelAnswer.Withdrawn,
        _ => throw new RefusedException("answer-unknown", "The answer could not be understood and was not stored; load the page again."),
    };

    private static object Shown(TaskProgress p) => new
    {
        Items = p.All, p.Labelled, p.NotSure, p.Skipped, p.Left, p.NextUseful, p.LastUseful, classes = p.Classes.Select(c => new { c.Id, c.Labels }),
    };

    /// <summary>Turns a refusal into 400 with its sentence, and a file that cannot be decoded into 422: never a stack trace.</summary>
    internal static TBuilder WithRefusals<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder => builder.AddEndpointFilter<TBuilder, RefusalFilter>();

    private sealed class RefusalFilter : IEndpointFilter
    {
        public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
        {
            try { return await next(context); }
            catch (RefusedException e) { return Results.Problem(e.Refusal.Sentence, title: e.Refusal.Code, statusCode: StatusCodes.Status400BadRequest); }
            catch (DicomException e) { return Results.Problem(e.Message, title: "image-damaged", statusCode: StatusCodes.Status422UnprocessableEntity); }
        }
    }
}
