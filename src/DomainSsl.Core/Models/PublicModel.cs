namespace DomainSsl.Core.Models;

/// <summary>The public image encoder that comes with the product. Its weights are taken out of their package by the worker at first use; its row is there from the first start.</summary>
public static class PublicModel
{
    /// <summary>Its id and its name.</summary>
    public const string Id = "public";

    /// <summary>Its architecture, as Learning writes it; a test of the worker holds the two together.</summary>
    public const string Architecture = """{"architecture":"resnet","resolution":112,"width":64,"blocks":[2,2,2,3],"stem":"pooled","input":"imagenet"}""";
}
