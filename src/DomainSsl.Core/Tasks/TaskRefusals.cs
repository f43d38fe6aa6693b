using DomainSsl.Core.Library;

namespace DomainSsl.Core.Tasks;

/// <summary>Every reason why something asked of a task is not done.</summary>
internal static class TaskRefusals
{
    public static RefusedException NoTask() => new("task-missing", "There is no such task any more; go back to the list of tasks.");
    public static RefusedException NoCollection() => new("collection-missing", "Choose the collection whose images or recordings the question is about.");
    public static RefusedException NoItems(string collection) =>
        new("collection-empty", $"The collection '{collection}' is empty; choose another, or import images or recordings first.");
    public static RefusedException NoName() => new("task-name-missing", "Give the task a name.");
    public static RefusedException NameTaken(string name) => new("task-name-taken", $"There is already a task named '{name}'; choose another name.");
    public static RefusedException ClassCount() => new("task-classes-count", "A question needs at least two and at most nine answers, one for each number key.");
    public static RefusedException ClassTwice(string name) => new("task-class-twice", $"The answer '{name}' is there twice; give each answer its own name.");
    public static RefusedException TooLong(string what, int most) => new("task-text-too-long", $"The {what} is too long; keep it under {most} characters.");
    public static RefusedException NoItem() => new("item-not-in-task", "This case does not belong to the task; load the page again.");
    public static RefusedException NoClass() => new("class-not-in-task", "This answer does not belong to the task; load the page again.");
    public static RefusedException UnknownClass(string name, IEnumerable<string> known) =>
        new("class-unknown", $"'{name}' is not an answer of this task; its answers are {string.Join(", ", known)}.");
    public static RefusedException NoKey() => new("client-key-missing", "The answer came without its key and was not stored; load the page again.");
    public static RefusedException AnsweredByAnother() => new("answered-by-another", "Somebody else has answered for this one meanwhile, and that answer stands; go on with the next.");
    public static RefusedException NothingToUndo() => new("nothing-to-undo", "There is no answer of yours left to take back.");
    public static RefusedException TooFewLabels(string name, int has, int needs) =>
        new("too-few-labels", $"'{name}' has {has} of the {needs} labels that training needs; label some more first.");
    public static RefusedException TooFewTrainingLabels(string name, int has, int needs, ItemKind kind) =>
        new("too-few-training-labels", $"Outside the test {(kind == ItemKind.Sound ? "speakers" : "patients")} '{name}' has {has} of the {needs} labels that training needs; label some more first.");
    public static RefusedException TooFewPatients(string name, int has, int needs, ItemKind kind) => new("too-few-patients", kind == ItemKind.Sound
        ? $"'{name}' was heard from {has} of the {needs} speakers that training needs; label recordings of other speakers too."
        : $"'{name}' was seen in {has} of the {needs} patients that training needs; label images of other patients too.");
    public static RefusedException NothingInUse() => new("no-classifier-in-use", "No classifier of this task is in use yet; train it, and put it in use on the result's page.");
    public static RefusedException OtherKind(string collection, ItemKind kind) => new("collection-other-kind", kind == ItemKind.Sound
        ? $"The collection '{collection}' does not hold recordings alone, and this task is about recordings; choose another."
        : $"The collection '{collection}' does not hold images alone, and this task is about images; choose another.");
    public static RefusedException AlreadyAnswering() => new("already-answering", "The classifier is answering already; wait until it is done, or stop that run first.");
    public static RefusedException NothingWanted() => new("wanted-missing", "Say in a sentence how many more are needed, and of what.");
    public static RefusedException AlreadyTraining() => new("already-training", "This task is being trained already; wait for its result, or stop that run first.");
    public static RefusedException BadLabelFile(string what) => new("label-file-bad", $"The label file cannot be read: {what}. It needs a header with the columns file and label.");

    /// <summary>A label file contradicts itself.</summary>
    public static RefusedException TwoLabels(string first, string one, string second, string other) =>
        new("two-labels", $"The label file calls the same image or recording {one} ({first}) and {other} ({second}); keep one of the two rows.");
}
