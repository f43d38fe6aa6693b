using DomainSsl.Core.Library;

namespace DomainSsl.Core.Models;

/// <summary>An encoder that comes with the product. Its weights are put in their place by the worker at first use; its row is there from the first start.</summary>
/// <param name="Id">Its id and its name.</param>
/// <param name="Kind">What it takes.</param>
/// <param name="LearntFrom">What it was trained on.</param>
/// <param name="Architecture">What it is made like, as Learning writes it; a test of the worker holds the two together.</param>
public sealed record PublicModel(string Id, ItemKind Kind, string LearntFrom, string Architecture)
{
    /// <summary>The public image encoder: the ImageNet ResNet.</summary>
    public static PublicModel Image { get; } = new("public", ItemKind.Image, "ImageNet", """{"architecture":"resnet","resolution":112,"width":64,"blocks":[2,2,2,3],"stem":"pooled","input":"imagenet"}""");

    /// <summary>The spoken encoder: it learnt to read sentences that speech synthesisers speak.</summary>
    public static PublicModel Sound { get; } = new("spoken", ItemKind.Sound, "synthetic speech", """{"architecture":"sound","resolution":16000,"width":192,"depth":8,"front":"mel","bands":64,"rate":25,"kernel":5}""");

    /// <summary>All of them.</summary>
    public static IReadOnlyList<PublicModel> All { get; } = [Image, Sound];

    /// <summary>The one of a kind of item.</summary>
    public static PublicModel Of(ItemKind kind) => kind == ItemKind.Sound ? Sound : Image;

    /// <summary>Whether a model is one of them.</summary>
    public static bool Is(string modelId) => All.Any(m => m.Id == modelId);
}
