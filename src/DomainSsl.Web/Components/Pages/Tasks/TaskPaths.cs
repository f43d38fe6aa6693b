namespace DomainSsl.Web.Components.Pages.Tasks;

/// <summary>Addresses of tasks' and reviews' pages.</summary>
public static class TaskPaths
{
    /// <summary>A new task, perhaps for a collection.</summary>
    public static string New(long? collection = null) => collection is { } id ? $"/tasks/new?collection={id}" : "/tasks/new";
    /// <summary>A task's own page.</summary>
    public static string Of(long task) => $"/tasks/{task}";
    /// <summary>Labelling.</summary>
    public static string Label(long task) => $"/tasks/{task}/label";
    /// <summary>What training brought.</summary>
    public static string Result(long task) => $"/tasks/{task}/result";
    /// <summary>Reviewing predictions.</summary>
    public static string Review(long task, bool referred = false) => referred ? $"/review/{task}?referred=true" : $"/review/{task}";
}
