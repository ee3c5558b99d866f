// Made from src/FaceDistill.Runtime/Faces/AlignmentTemplate.cs; a test keeps it so.
export const templates = {
  arcface: { referenceSize: 112, points: [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]] },
  dlib: { referenceSize: 150, points: [[47.55, 46.6], [100.45, 46.6], [74, 76.56], [50.41, 103.02], [97.61, 103.02]] },
  facenet: { referenceSize: 160, points: [[45.8, 61.9], [114.2, 61.9], [80, 91], [51.2, 113.3], [108.8, 113.3]] },
  wide: { referenceSize: 140, points: [[52.2946, 65.6963], [87.5318, 65.5014], [70.0252, 85.7366], [55.5493, 106.3655], [84.7299, 106.2041]] },
};
